"""Azure Functions' entry: every unit of the service; `TWOFOLD_ROLE` selects the triggers."""

from pathlib import Path

from api.manifest import SERVICE
from twofold.azure.door import function_app

app = function_app(SERVICE, root=Path(__file__).parent)
