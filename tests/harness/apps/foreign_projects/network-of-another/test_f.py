from urllib.request import urlopen


def answers(stack):
    return urlopen(f"http://127.0.0.1:{stack['vpn'].port(9000)}/").status == 200


def test_packets(stack, faults):
    with faults.packet_block("vpn", port=9):
        raise AssertionError("there is no image to block them with")


def test_kill_vpn(stack, faults):
    with faults.kill("vpn"):
        pass
    assert answers(stack)


def test_without_faults(stack):
    assert answers(stack)
