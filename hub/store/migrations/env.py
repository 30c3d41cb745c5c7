"""What Alembic runs: one connection of the store's own engine, one transaction."""

from alembic import context
from sqlmodel import SQLModel

import hub.store  # noqa: F401 - fills SQLModel.metadata

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=False,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
