import pytest

from nomock.errors import ComposeError
from nomock.stack import Postgres


def test_the_database_should_be_entered(postgres):
    assert postgres.service.name == "db"
    assert postgres.password == "correct horse"
    with postgres.connect() as connection:
        found = connection.execute("SELECT current_user, current_database()").fetchone()
    assert found == ("clerk", "shop")


def test_secrets_and_configs_should_be_read(stack):
    told = Postgres(stack["told"])
    assert (told.user, told.password, told.dbname) == ("shop", "battery staple", "shop")


def test_a_file_that_is_not_there_should_be_named(stack):
    with pytest.raises(ComposeError, match="cat /run/secrets/nowhere' ended with 1"):
        Postgres(stack["untold"]).password
