"""What the program of a stack loads when its config asks for nothing that is optional: the big SDK modules stay out.

Time can't be asserted on a busy machine (`python -m bench.program` measures it); what is loaded can.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = {
    "aws": (
        "pulumi_aws.ec2.",
        "pulumi_aws.elasticache.",
        "pulumi_aws.cloudfront.",
        "pulumi_aws.budgets.",
        "pulumi_azure_native",
        "twofold.deploy.azure.",
        "boto3",
        "fastapi",
    ),
    "azure": (
        "pulumi_azure_native.network.",
        "pulumi_azure_native.compute.",
        "pulumi_azure_native.cdn.",
        "pulumi_azure_native.dns.",
        "pulumi_azure_native.consumption.",
        "pulumi_aws",
        "twofold.deploy.aws.",
        "httpx",
    ),
}
ASK = """
import json, sys
from pathlib import Path
from api.manifest import SERVICE
from twofold.deploy import program
stack, root = "dev-{cloud}", Path.cwd()
program.planned(SERVICE, program.stack_config(root, stack, SERVICE), root, stack)
print(json.dumps(sorted(sys.modules)))
"""


def test_a_dev_stack_loads_only_what_it_uses(cloud):
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(cloud=cloud)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stdout)
    sdk = "pulumi_aws." if cloud == "aws" else "pulumi_azure_native."
    assert any(name.startswith(sdk) for name in loaded)  # the list says something
    assert [name for name in loaded if name.startswith(HEAVY[cloud])] == []
