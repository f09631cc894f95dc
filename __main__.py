"""What `pulumi up` runs. It stands at the top, since Pulumi looks for the environment beside it."""

from stacks.program import main

main()
