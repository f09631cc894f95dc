"""What stands in for a cloud on one machine: real emulators, and strict fakes at the wire where there is none.

No artifact holds this package. Each module lists where it differs from the service; `docs/design/emulators.md` has the table.
"""
