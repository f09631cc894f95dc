"""AWS Lambda's entry: every unit of the service, on the handler `lambda_function.lambda_handler`."""

from pathlib import Path

from api.manifest import SERVICE
from twofold.aws.door import lambda_handler as door

lambda_handler = door(SERVICE, root=Path(__file__).parent)
