"""A dynamic resource that does nothing; in a module, so that the state refers to it by name, which is the cheapest."""

from pulumi import dynamic


class Nothing(dynamic.ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props):
        return dynamic.CreateResult(props["key"], props)


class Idle(dynamic.Resource):
    def __init__(self, name, key, **more):
        super().__init__(Nothing(), name, {"key": key, **more})
