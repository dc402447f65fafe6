import subprocess


def test_web_should_be_found_when_compose_was_called_by_hand():
    asked = ["docker", "compose", "port", "web", "8000"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert said.stdout.startswith("127.0.0.1:")
