"""A Pulumi program without resources: what any `up` costs."""
