def test_nothing_should_be_needed_when_there_is_no_stack():
    assert "http://127.0.0.1:".startswith("http")
