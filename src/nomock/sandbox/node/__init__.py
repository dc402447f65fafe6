"""The local node: a real Kubernetes in one container, and a registry beside it.

There is one for all checkouts of a user: sandboxes are namespaces in it. It is a compose project
like any other stack, in a folder of the user's cache, so that it is started, looked after, locked
and taken down by what does so with stacks.
"""

from nomock.sandbox.node.local import LocalNode, start, stop

__all__ = ["LocalNode", "start", "stop"]
