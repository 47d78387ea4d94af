"""Options of a table in AWS; those that Flink's connectors have too are named as there."""

from __future__ import annotations

from tailrace.options import Option, choice, duration, positive, string

AUTO, BASIC, PROFILE, ASSUME_ROLE = "AUTO", "BASIC", "PROFILE", "ASSUME_ROLE"

REGION, ENDPOINT, PROVIDER, TIMEOUT = "aws.region", "aws.endpoint", "aws.credentials.provider", "timeout"
KEY, SECRET, TOKEN = (f"aws.credentials.basic.{n}" for n in ("accesskeyid", "secretkey", "sessiontoken"))
PROFILE_NAME = "aws.credentials.profile.name"
ROLE, SESSION, EXTERNAL, STS = (
    f"aws.credentials.role.{n}" for n in ("arn", "sessionName", "externalId", "stsEndpoint")
)

AWS = (
    Option(
        REGION,
        string,
        doc="the region, as `eu-central-1`; without it `AWS_REGION` or the profile's, and `us-east-1` where an endpoint is given",
    ),
    Option(ENDPOINT, string, doc="another address than that of AWS, as `http://localhost:15000`"),
    Option(
        PROVIDER,
        choice(AUTO, BASIC, PROFILE, ASSUME_ROLE),
        doc="where credentials come from: `AUTO` looks where the tools of AWS do (environment, files, web identity, the machine's role),"
        " `BASIC` takes the key below, `PROFILE` a profile, `ASSUME_ROLE` takes on a role by any of them; without it what is given below",
    ),
    Option(KEY, string, doc="the id of an access key"),
    Option(SECRET, string, doc="the secret of the access key", secret=True),
    Option(TOKEN, string, doc="the token of temporary credentials", secret=True),
    Option(PROFILE_NAME, string, doc="a profile of `~/.aws/config`"),
    Option(ROLE, string, doc="the ARN of a role to take on; its credentials are renewed in time"),
    Option(SESSION, string, "tailrace", "the name of the role's session, which logs of AWS show"),
    Option(EXTERNAL, string, doc="the external id that the role asks for", secret=True),
    Option(STS, string, doc="another address of the service that gives the role's credentials"),
    Option(TIMEOUT, positive(duration), 10_000, "how long one answer may take"),
)
"""The options of every table in AWS: `Access.of` reads them."""
