Route #1: 1 3 5 7 8
Route #2: 9 18 15 2 12
Route #3: 4 14 6 10 16
Route #4: 11 20 19 17 13
Cost 1632
