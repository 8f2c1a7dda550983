"""Huawei Cloud DWR (Data Workroom): workflows by version 3 of the API, and what of IAM its clients need."""
