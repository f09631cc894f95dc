"""The deployment kit: typed stack config, the environment contract, the artifact, and components for each cloud."""
