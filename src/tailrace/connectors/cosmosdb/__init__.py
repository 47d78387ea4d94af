"""The connector `cosmosdb`: containers of Azure Cosmos DB (its API for NoSQL)."""

from tailrace.connectors.cosmosdb.connector import CONNECTOR

__all__ = ["CONNECTOR"]
