# Messaggi di posta. Parole semplici, cordiali e oneste. «articolo» è in messages.ftl.

mail-run-succeeded-subject = { $product }: aggiornamento completato
mail-run-succeeded = L'aggiornamento di { $product } alla versione { $version } è completato. Ora è possibile collegarsi di nuovo.
mail-run-failed-subject = { $product }: aggiornamento non riuscito
mail-run-failed = L'aggiornamento di { $product } alla versione { $version } non è riuscito e la versione precedente non è ancora stata ripristinata. Prima di collegarsi attendere che qualcuno abbia controllato.
mail-run-rolled-back = L'aggiornamento di { $product } alla versione { $version } non è riuscito. La versione precedente è stata ripristinata, quindi è possibile collegarsi di nuovo.
mail-class-network = Non è stato possibile scaricare i file: la connessione si è interrotta o è stata bloccata.
mail-class-integrity = I file scaricati erano danneggiati, quindi non sono stati installati.
mail-class-environment = Il computer non lo ha permesso: forse il disco è pieno, mancano i permessi, o un altro programma teneva occupati dei file.
mail-class-users-connected = C'erano ancora persone collegate e l'aggiornamento non ha voluto interrompere il loro lavoro.
mail-class-backup = Non è stato possibile salvare prima una copia dei dati, e senza copia nessun aggiornamento viene iniziato.
mail-class-installer = L'installazione stessa si è fermata con un errore.
mail-class-migration = Non è stato possibile portare i dati nella forma che serve alla nuova versione.
mail-class-service-start = La nuova versione è stata installata, ma non si è avviata.
mail-class-data-loss = Potrebbero mancare dei dati. Prima di continuare a lavorare attendere che qualcuno abbia controllato.
mail-class-internal = Il programma che esegue gli aggiornamenti ha avuto un guasto suo.
mail-help = Qui si trova aiuto: { $link }
mail-run-why = Questo messaggio arriva perché l'indirizzo è stato indicato quando l'aggiornamento è stato programmato. È stato inviato automaticamente.

mail-halted-subject = { $product } { $version }: distribuzione fermata
mail-halted = La distribuzione di { $product } { $version } è stata fermata: non viene più proposta a nessuno finché non viene ripresa. Il motivo: { $reason }

mail-ending-subject = Abbonamenti in scadenza: { $count }
mail-ending = Questi abbonamenti stanno per scadere.
mail-ending-renews = { $customer }, { $product }: scade { articolo }{ $date } ({ $days ->
    [0] oggi
    [one] tra 1 giorno
   *[other] tra { $days } giorni
}), da rinnovare
mail-ending-stays = { $customer }, { $product }: scade { articolo }{ $date } ({ $days ->
    [0] oggi
    [one] tra 1 giorno
   *[other] tra { $days } giorni
}), disdetto e da non rinnovare
mail-ending-more = E tanti altri ancora: { $count }.
