# $day è un numero senza zero iniziale; $hour e $minute hanno due cifre.
date-long = { $day ->
    [1] 1º
   *[other] { $day }
} { $month } { $year }
date-and-time = { articolo }{ $date } alle { $hour }:{ $minute }

month-1 = gennaio
month-2 = febbraio
month-3 = marzo
month-4 = aprile
month-5 = maggio
month-6 = giugno
month-7 = luglio
month-8 = agosto
month-9 = settembre
month-10 = ottobre
month-11 = novembre
month-12 = dicembre
