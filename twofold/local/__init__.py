"""The embedded home: SQLite and files, uvicorn, loops. Imports no cloud SDK."""
