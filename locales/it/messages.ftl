# Che cosa dice una finestra di dialogo sugli aggiornamenti. Parole semplici, cordiali e oneste; niente gergo.

# L'articolo davanti a una data: l'8 e l'11, il negli altri giorni.
articolo = { $day ->
    [8] l'
    [11] l'
   *[other] il{" "}
}

update-available = La versione { $version } di { $product } è pronta per essere installata.
update-available-mandatory = Per continuare occorre installare ora la versione { $version } di { $product }. La versione in uso non va più utilizzata.
update-available-server = È disponibile un aggiornamento per il server di { $product }: la versione { $version }. Avvisare chi si occupa del server, oppure scegliere quando installarlo.
update-available-server-mandatory = Il server di { $product } ha bisogno al più presto della versione { $version }: quella in uso non va più utilizzata. Avvisare chi si occupa del server, oppure scegliere quando installarla.
client-must-match-server = Il server lavora con la versione { $server-version } di { $product }. Per lavorare con il server, a questo programma serve la versione { $version }.

up-to-date = { $product } è aggiornato.
server-version-required = Gli aggiornamenti di questo programma dipendono dal server di { $product }. Collegarsi al server e ripetere il controllo.
rollout-pending = Al momento non c'è nulla da installare. Una nuova versione di { $product } viene distribuita un po' alla volta e sarà proposta presto anche qui.
rollout-paused = Al momento non c'è nulla da installare. Una nuova versione di { $product } è in attesa e sarà proposta appena pronta.
rollout-halted = Al momento non c'è nulla da installare. Una nuova versione di { $product } è stata trattenuta a causa di un problema. Sarà proposta la prossima versione pronta.
no-path = Esiste una nuova versione di { $product }, ma non si può installare sopra quella in uso. Contattare l'assistenza, che saprà come proseguire.
pinned = Esiste una nuova versione di { $product }, ma l'abbonamento è impostato per restare a una versione precedente. Per cambiare questa scelta contattare l'assistenza.
current-yanked = La versione di { $product } in uso è stata ritirata. Quella che la sostituisce non è ancora pronta; sarà proposta appena possibile.

not-entitled-wrong-product = La chiave di licenza inserita appartiene a un altro programma. Inserire la chiave di licenza di { $product }.
not-entitled-license-required = La versione { $newer } di { $product } è disponibile con un abbonamento agli aggiornamenti. Per installarla inserire la chiave di licenza.
not-entitled-expired = L'abbonamento agli aggiornamenti è scaduto { articolo }{ $date }. Rinnovarlo per installare la versione { $newer } di { $product }.
not-entitled-suspended = L'abbonamento agli aggiornamenti è sospeso, perciò al momento la versione { $newer } di { $product } non si può installare. Contattare l'assistenza.
not-entitled-cancelled = L'abbonamento agli aggiornamenti è stato annullato, perciò non comprende la versione { $newer } di { $product }. Con un nuovo abbonamento sarà possibile installarla.
not-entitled-pending = L'abbonamento agli aggiornamenti inizia { articolo }{ $date }. Da quel giorno sarà possibile installare la versione { $newer } di { $product }.

deferred-outside-window = Un aggiornamento di { $product } è pronto. Sarà installato nel prossimo orario riservato alla manutenzione, { $time }.
deferred-group-busy = Un aggiornamento di { $product } è pronto. In questo momento si stanno aggiornando altri server; questo seguirà al suo turno.
managed = { $product } viene tenuto aggiornato automaticamente. Non occorre fare nulla.
incompatible-no-client = Questo programma non funziona con il server di { $product } (versione { $server-version }) e per questo computer non c'è ancora una versione adatta. Contattare chi si occupa del server.
incompatible-halted = Questo programma non funziona con il server di { $product } (versione { $server-version }). La versione adatta è stata trattenuta a causa di un problema. Contattare chi si occupa del server.
blocked-stopped = Gli aggiornamenti di { $product } sono fermi per il momento. { $reason }

# Che cosa fare quando un aggiornamento non riesce per un motivo conosciuto.
help-antivirus = Un antivirus ha impedito all'aggiornamento di { $product } di usare i suoi file. Autorizza { $product } e il suo aggiornamento nell'antivirus, oppure disattivalo per un momento, poi riavvia l'aggiornamento.
help-firewall = L'aggiornamento di { $product } non è riuscito a raggiungere il server. Controlla la connessione a Internet e che nessun firewall o proxy blocchi { $product }, poi riavvia l'aggiornamento.
help-disk = Sul disco non c'è abbastanza spazio libero per l'aggiornamento di { $product }. Libera un po' di spazio, poi riavvia l'aggiornamento.
help-rights = L'aggiornamento di { $product } non ha il permesso di modificare i suoi file. Riavvialo come amministratore, oppure chiedi alla persona che si occupa di questo computer.
