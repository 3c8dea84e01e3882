"""The database: the embedded server and its keeper, the pool, migrations and named queries."""
