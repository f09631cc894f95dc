"""The application: a table of contents."""

from fastapi import FastAPI

from api.manifest import SERVICE
from api.notes import routes
from twofold.bootstrap import Services
from twofold.http import problem


def create_app(services: Services) -> FastAPI:
    """The API over these services."""
    app = FastAPI(title=SERVICE.title, version="0.1.0", redoc_url=None)
    problem.install(app)
    app.include_router(routes(services))
    return app
