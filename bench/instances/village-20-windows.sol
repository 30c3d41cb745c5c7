Route #1: 9 6
Route #2: 5 14 7
Route #3: 11 2 8
Route #4: 16 1 20 4
Route #5: 3 13 12 17
Route #6: 15 18 19 10
Cost 620.5
