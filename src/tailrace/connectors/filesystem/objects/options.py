"""The options of paths in object stores: endpoints, credentials, time-outs. Those of S3 have the names of Flink's settings."""

from __future__ import annotations

from tailrace.options import Option, boolean, duration, string

OBJECTS = (
    Option("s3.endpoint", string, doc="the URL of a store that speaks like S3; without it AWS, or `AWS_ENDPOINT_URL`"),
    Option("s3.region", string, doc="without it `AWS_REGION`, and `us-east-1` where an endpoint is given"),
    Option("s3.access-key", string, doc="without it the environment (`AWS_ACCESS_KEY_ID`), or the machine's role"),
    Option("s3.secret-key", string, doc="what belongs to it", secret=True),
    Option("s3.session-token", string, doc="the token of temporary credentials", secret=True),
    Option(
        "s3.path.style.access",
        boolean,
        doc="the bucket stands in the path of URLs, not in the host; without it `true` where an endpoint is given",
    ),
    Option("gs.endpoint", string, doc="the URL of a store that speaks like Google's"),
    Option("gs.service-account-file", string, doc="a file with a key; without it `GOOGLE_APPLICATION_CREDENTIALS`"),
    Option("gs.service-account-key", string, doc="the JSON of such a file itself", secret=True),
    Option(
        "azure.account", string, doc="the storage account, if not in the path; without it `AZURE_STORAGE_ACCOUNT_NAME`"
    ),
    Option("azure.account-key", string, doc="its key; without it `AZURE_STORAGE_ACCOUNT_KEY`", secret=True),
    Option("azure.sas-token", string, doc="a shared access signature in place of a key", secret=True),
    Option("azure.endpoint", string, doc="the URL of a store that speaks like Azure's, with the account in its path"),
    Option("tailrace.object.timeout", duration, 60_000, "how long one request to an object store may take"),
    Option(
        "tailrace.object.retry-timeout",
        duration,
        10_000,
        "how long a request is tried again at once, with growing pauses; then the source or sink says that it waits",
    ),
)
