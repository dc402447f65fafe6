from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("users", lambda request: HttpResponse(str(User.objects.count())))]
