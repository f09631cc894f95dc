"""The Azure home: Cosmos DB, Key Vault, the Functions door. The only importer of the azure packages."""
