Feature: the shop
  Scenario: a slow api
    Given the web
    When the api is slow
    Then it answers
