"""`cloud-runs status`: what became of a stack's runs. It asks, and changes nothing."""
