"""Tokens of the checkout in a folder: what `twofold token` prints there, as a request's headers."""

from api.manifest import SERVICE
from tests.copies.copy import ROOT
from twofold.local.issuer import DevelopmentIssuer


def bearer(folder=ROOT, manifest=SERVICE, **options):
    return {"Authorization": f"Bearer {DevelopmentIssuer(folder / '.data').token(manifest, **options)}"}
