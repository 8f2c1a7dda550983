"""Huawei Cloud DWR (Data Workroom): executions of workflows, through the API that came after that of OBS workflows."""
