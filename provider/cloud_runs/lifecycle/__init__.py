"""All that knows Pulumi, once: what every run resource shares."""
