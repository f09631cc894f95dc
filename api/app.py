"""The application: a table of contents."""

from fastapi import FastAPI

from api.manifest import SERVICE
from api.orders.routes import routes
from twofold.bootstrap import Services
from twofold.http import problem


def create_app(services: Services) -> FastAPI:
    """The orders API over these services."""
    app = FastAPI(title=SERVICE.title, version="1.0.0", redoc_url=None)
    problem.install(app)
    app.include_router(routes(services))
    return app
