"""The store: sessions, migrations, time."""

import gc

import pytest
from sqlalchemy.event import listen
from sqlmodel import select

from hub.hub import Hub
from hub.store import MerchantRow, Session, Store, migrations
from hub.testing.fixtures import MORNING


def test_migrations_bring_an_empty_database_to_the_newest_schema(hub: Hub) -> None:
    assert migrations.current(hub.store) == migrations.newest()


def test_an_old_schema_is_refused_with_the_command_to_run(database_url: str) -> None:
    with pytest.raises(migrations.OldSchema, match="hub db upgrade"):
        migrations.check(Store(database_url))


def test_the_migrated_schema_is_the_one_the_tables_describe(hub: Hub) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlmodel import SQLModel

    with hub.store.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, SQLModel.metadata) == []


def test_an_error_in_a_write_session_leaves_nothing_behind(hub: Hub) -> None:
    def fail(session: Session) -> None:
        session.add(MerchantRow(name="A", slug="a"))
        session.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError), hub.store.write() as session:
        fail(session)
    with hub.store.read() as session:
        assert session.get(MerchantRow, "a") is None


def test_a_reader_sees_one_state_of_the_database_whatever_is_committed_meanwhile(hub: Hub) -> None:
    names = select(MerchantRow.name)
    with hub.store.read() as reader:
        before = reader.exec(names).all()
        with hub.store.write() as session:
            session.add(MerchantRow(name="A", slug="a"))
        assert reader.exec(names).all() == before == []
    with hub.store.read() as reader:
        assert reader.exec(names).all() == ["A"]


def test_what_a_transaction_has_read_is_not_read_again(hub: Hub) -> None:
    asked: list[str] = []
    with hub.store.write() as session:
        session.add(MerchantRow(id="m", name="A", slug="a"))
    with hub.store.write() as session:
        assert session.get_one(MerchantRow, "m").name == "A"
        listen(hub.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        gc.collect()
        assert session.get_one(MerchantRow, "m").name == "A"
    assert [question for question in asked if "merchant" in question] == []


def test_business_time_stands_where_the_clock_row_says(hub: Hub) -> None:
    assert hub.store.clock.now() == MORNING


def test_the_newest_revision_by_its_file_is_alembics_head(hub: Hub) -> None:
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(migrations.config(hub.store)).get_current_head()
    assert migrations.newest() == head
