from nomock.stack import Postgres


def who(postgres):
    with postgres.connect() as connection:
        return connection.execute("SELECT current_user, current_database()").fetchone()


def test_db(postgres):
    assert postgres.service.name == "db"
    assert who(postgres) == ("clerk", "shop")
    assert postgres.password == "correct horse"


def test_other(stack):
    assert who(Postgres(stack["other"])) == ("postgres", "postgres")
