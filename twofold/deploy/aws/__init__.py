"""Components for AWS."""
