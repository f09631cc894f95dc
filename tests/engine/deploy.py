"""`python -m tests.engine.deploy SERVICE CLOUD STATE`: deploys the stack dev-<cloud> of a service's folder.

With the folder's own stack config and an issuer, on the stand-in providers, in a process of its own: two services in one
would share the name `api`. Prints an object: `up` as {operation: count}, `resources` as {type: count}, `inputs`
by "type name", `outputs`.
"""

import collections
import json
import runpy
import sys
from pathlib import Path

import yaml

from tests.engine.engine import Engine


def main(service: Path, cloud: str, state: Path) -> None:
    project = yaml.safe_load((service / "Pulumi.yaml").read_text())
    stored = yaml.safe_load((service / project["stackConfigDir"] / f"Pulumi.dev-{cloud}.yaml").read_text())
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in stored["config"].items()}
    config["twofold:oidcIssuer"] = "https://issuer.test"

    def program():
        runpy.run_path(str(service), run_name="__main__")

    engine = Engine(state, f"dev-{cloud}", config, program, project["name"])
    done = {"up": engine.up(), "outputs": engine.outputs}
    done["resources"] = collections.Counter(token for token, _ in engine.standin.resources.values())
    named = engine.standin.resources.items()
    done["inputs"] = {f"{token} {urn.rpartition('::')[2]}": inputs for urn, (token, inputs) in named}
    engine.close()
    print(json.dumps(done))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2], Path(sys.argv[3]))
