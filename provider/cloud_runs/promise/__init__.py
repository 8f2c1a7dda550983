"""The rules: what fires, what is looked for, what is kept, and what is waited for. No Pulumi, no HTTP."""
