"""What alembic runs for every command: the connection comes from web.database, inside its transaction."""

from alembic import context

from cat_engine.foundation.storage import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    compare_type=True,
    # SQLite changes a column only by copying its table
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
