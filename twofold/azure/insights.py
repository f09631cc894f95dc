"""Application Insights, as its exporters for traces and metrics know it."""

CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"
"""Where the component is: the variable that Azure's own tools set. With local auth off its key is a name, no secret."""
QUIET = {"APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true", "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true"}
"""What keeps the exporter from telling Microsoft about itself and from asking for settings."""
