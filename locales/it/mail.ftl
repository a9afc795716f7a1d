# Messaggi di posta. Parole semplici, cordiali e oneste. «articolo» è in messages.ftl.

mail-run-succeeded-subject = { $product }: aggiornamento completato
mail-run-succeeded = L'aggiornamento di { $product } alla versione { $version } è stato completato. Ora è possibile collegarsi di nuovo.
mail-run-failed-subject = { $product }: aggiornamento non riuscito
mail-run-failed = L'aggiornamento di { $product } alla versione { $version } non è riuscito e la versione precedente non è ancora stata ripristinata. Non collegarsi finché qualcuno non ha controllato.
mail-run-rolled-back = L'aggiornamento di { $product } alla versione { $version } non è riuscito. La versione precedente è stata ripristinata, quindi è possibile collegarsi di nuovo.
mail-class-network = Non è stato possibile scaricare i file: la connessione si è interrotta o è stata bloccata.
mail-class-integrity = I file scaricati erano danneggiati, quindi non sono stati installati.
mail-class-environment = Il computer non lo ha consentito: forse il disco è pieno, mancano le autorizzazioni, oppure un altro programma stava usando i file.
mail-class-users-connected = Erano ancora collegati degli utenti e l'aggiornamento non ha interrotto il loro lavoro.
mail-class-backup = Non è stato possibile eseguire prima il backup dei dati, e senza backup nessun aggiornamento viene avviato.
mail-class-installer = L'installazione si è interrotta a causa di un errore.
mail-class-migration = Non è stato possibile convertire i dati per la nuova versione.
mail-class-service-start = La nuova versione è stata installata, ma non si è avviata.
mail-class-data-loss = Potrebbero mancare dei dati. Non continuare a lavorare finché qualcuno non ha controllato.
mail-class-internal = Si è verificato un errore interno nel programma che esegue gli aggiornamenti.
mail-help = Per assistenza, consultare: { $link }
mail-run-why = Questo messaggio arriva perché l'indirizzo è stato indicato alla pianificazione dell'aggiornamento. È stato inviato automaticamente.

mail-halted-subject = { $product } { $version }: distribuzione interrotta
mail-halted = La distribuzione di { $product } { $version } è stata interrotta: la versione non viene più proposta a nessuno finché la distribuzione non riprende. Motivo: { $reason }

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
mail-ending-more = { $count ->
    [one] E un altro abbonamento.
   *[other] E altri { $count } abbonamenti.
}
