import multiprocessing

import till


def work():
    till.HTTPServer(("", 8000), till.Till).serve_forever()


if __name__ == "__main__":
    worker = multiprocessing.get_context("spawn").Process(target=work)
    worker.start()
    worker.join()
