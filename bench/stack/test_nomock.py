def test_web_should_be_found_when_the_stack_is_warm(stack):
    assert stack["web"].url.startswith("http://127.0.0.1:")
