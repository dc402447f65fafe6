import till

def test_price():
    assert till.rules.price(1) == 10
