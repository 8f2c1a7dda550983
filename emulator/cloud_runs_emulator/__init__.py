"""The clouds on loopback: a double for tests, demos and trials without an account.

Started with `cloud-runs-emulator`. It is a second, independent implementation of the services' side and shares no code
with the package that calls them. Everything is kept in memory: nothing survives the process, nothing is sent anywhere.
"""
