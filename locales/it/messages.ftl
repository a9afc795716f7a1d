# Che cosa dice una finestra di dialogo sugli aggiornamenti. Parole semplici, cordiali e oneste; niente gergo.

# L'articolo davanti a una data: l'8 e l'11, il negli altri giorni.
articolo = { $day ->
    [8] l'
    [11] l'
   *[other] il{" "}
}

update-available = La versione { $version } di { $product } è pronta per essere installata.
update-available-mandatory = Per continuare, installare ora la versione { $version } di { $product }. La versione attuale non va più utilizzata.
update-available-server = È disponibile un aggiornamento per il server di { $product }: la versione { $version }. Avvisare chi gestisce il server, oppure scegliere quando installarlo.
update-available-server-mandatory = Il server di { $product } richiede al più presto la versione { $version }: quella attuale non va più utilizzata. Avvisare chi gestisce il server, oppure scegliere quando installarla.
client-must-match-server = Il server usa la versione { $server-version } di { $product }. Per funzionare con il server, questo programma richiede la versione { $version }.

up-to-date = { $product } è aggiornato.
server-version-required = Gli aggiornamenti di questo programma dipendono dal server di { $product }. Collegarsi al server, quindi cercare di nuovo gli aggiornamenti.
rollout-pending = Al momento non c'è nulla da installare. Una nuova versione di { $product } è in distribuzione graduale e sarà presto disponibile.
rollout-paused = Al momento non c'è nulla da installare. La distribuzione di una nuova versione di { $product } è in pausa; la versione sarà proposta quando sarà pronta.
rollout-halted = Al momento non c'è nulla da installare. La distribuzione di una nuova versione di { $product } è stata interrotta a causa di un problema. Sarà proposta la prossima versione, quando sarà pronta.
no-path = È disponibile una nuova versione di { $product }, ma non è possibile installarla sopra quella attuale. Contattare l'assistenza.
pinned = È disponibile una nuova versione di { $product }, ma l'abbonamento è impostato per restare a una versione precedente. Per modificare questa impostazione, contattare l'assistenza.
current-yanked = La versione di { $product } in uso è stata ritirata. La versione sostitutiva non è ancora pronta; sarà proposta appena possibile.

not-entitled-wrong-product = La chiave di licenza inserita è di un altro programma. Inserire la chiave di licenza di { $product }.
not-entitled-license-required = La versione { $newer } di { $product } è disponibile con un abbonamento agli aggiornamenti. Per installarla, inserire la chiave di licenza.
not-entitled-expired = L'abbonamento agli aggiornamenti è scaduto { articolo }{ $date }. Rinnovarlo per installare la versione { $newer } di { $product }.
not-entitled-suspended = L'abbonamento agli aggiornamenti è sospeso, quindi al momento non è possibile installare la versione { $newer } di { $product }. Contattare l'assistenza.
not-entitled-cancelled = L'abbonamento agli aggiornamenti è stato disdetto, quindi non comprende la versione { $newer } di { $product }. Con un nuovo abbonamento sarà possibile installarla.
not-entitled-pending = L'abbonamento agli aggiornamenti inizia { articolo }{ $date }. Da quel giorno sarà possibile installare la versione { $newer } di { $product }.

deferred-outside-window = Un aggiornamento di { $product } è pronto. Sarà installato durante la prossima manutenzione, { $time }.
deferred-group-busy = Un aggiornamento di { $product } è pronto. In questo momento è in corso l'aggiornamento di altri server; poi toccherà a questo.
managed = { $product } viene aggiornato automaticamente. Non è necessaria alcuna operazione.
incompatible-no-client = Questo programma non è compatibile con il server di { $product } (versione { $server-version }) e per questo computer non è ancora disponibile una versione compatibile. Contattare chi gestisce il server.
incompatible-halted = Questo programma non è compatibile con il server di { $product } (versione { $server-version }). La distribuzione della versione compatibile è stata interrotta a causa di un problema. Contattare chi gestisce il server.
blocked-stopped = Gli aggiornamenti di { $product } sono temporaneamente sospesi. { $reason }

# Che cosa fare quando un aggiornamento non riesce per un motivo conosciuto.
help-antivirus = Un antivirus ha bloccato l'aggiornamento di { $product }. Consentire { $product } e il suo programma di aggiornamento nell'antivirus, oppure disattivare temporaneamente l'antivirus, quindi riavviare l'aggiornamento.
help-firewall = L'aggiornamento di { $product } non è riuscito a raggiungere il server. Verificare la connessione a Internet e che nessun firewall o proxy blocchi { $product }, quindi riavviare l'aggiornamento.
help-disk = Spazio su disco insufficiente per l'aggiornamento di { $product }. Liberare spazio su disco, quindi riavviare l'aggiornamento.
help-rights = L'aggiornamento di { $product } non dispone delle autorizzazioni per modificare i propri file. Riavviarlo come amministratore, oppure rivolgersi a chi gestisce questo computer.
