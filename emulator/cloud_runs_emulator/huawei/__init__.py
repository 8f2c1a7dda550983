"""Huawei Cloud OBS: workflows (asynchronous start of a defined workflow, formerly a part of "Data+")."""
