"""What it costs to be seen: jobs with everything off and on, in turn."""
