"""Runs a program for the language host, in the project's own environment: there it may use nothing but Pulumi's SDK."""

import argparse
import asyncio
import os
import runpy
import sys
import traceback

import pulumi
from pulumi.runtime import Settings, configure, get_config_env, get_config_secret_keys_env, run_in_stack, set_all_config

SHOWN = 32
"""The host says no more: the user was told."""


def main():
    parser = argparse.ArgumentParser()
    for option in (
        "monitor",
        "engine",
        "project",
        "root_directory",
        "stack",
        "pwd",
        "dry_run",
        "parallel",
        "organization",
    ):
        parser.add_argument(f"--{option}")
    parser.add_argument("program")
    parser.add_argument("arguments", nargs="*")
    arguments = parser.parse_args()
    set_all_config(get_config_env(), get_config_secret_keys_env())
    configure(
        Settings(
            monitor=arguments.monitor,
            engine=arguments.engine,
            project=arguments.project,
            stack=arguments.stack,
            parallel=int(arguments.parallel),
            dry_run=arguments.dry_run == "true",
            organization=arguments.organization,
            root_directory=arguments.root_directory,
        )
    )
    sys.argv = [arguments.program, *arguments.arguments]
    if arguments.pwd:
        os.chdir(arguments.pwd)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        # The program's own path may be bare: `__main__.py`, or `.` for the folder.
        loop.run_until_complete(run_in_stack(lambda: runpy.run_path(arguments.program, run_name="__main__")))
    except pulumi.RunError as exc:
        pulumi.log.error(str(exc))
        return 1
    except Exception:
        pulumi.log.error(f"Program failed with an unhandled exception:\n{traceback.format_exc()}")
        return SHOWN
    finally:
        loop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
