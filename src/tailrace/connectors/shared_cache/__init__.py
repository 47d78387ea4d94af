"""A cache of lookups that several processes share, in front of the table that is looked up in."""

from tailrace.connectors.shared_cache.lookup import CachedLookup, CacheTally
from tailrace.connectors.shared_cache.making import in_front_of, wanted

__all__ = ["CacheTally", "CachedLookup", "in_front_of", "wanted"]
