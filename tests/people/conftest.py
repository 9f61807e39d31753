"""What the tests of people share."""

import pytest
from django.test import Client


@pytest.fixture
def client_factory():
    """Other browsers than the test's own."""
    return Client
