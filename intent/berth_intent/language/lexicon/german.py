"""German: operators, nouns of place, small words. Stems stand for cases and verb forms; separable verbs for their parts."""

from __future__ import annotations

from berth_intent.intents import STRONG
from berth_intent.language.kinds import Kind
from berth_intent.language.lexicon.terms import Terms

WORDS: tuple[Terms, ...] = (
    # --- clauses
    Terms(
        Kind.AND,
        "und; sowie; als auch; außerdem; zudem; dazu; plus; und zudem; darüber hinaus; ebenso; ferner; zusätzlich; und außerdem; und dazu; u.",
    ),
    Terms(Kind.OR, "oder; bzw; bzw.; beziehungsweise; entweder; wahlweise"),
    Terms(
        Kind.BUT,
        "aber; jedoch; sondern; doch; allerdings; dagegen; hingegen; trotzdem; dennoch; obwohl; wobei; dafür; gleichwohl; ansonsten; sonst",
    ),
    Terms(Kind.CAUSE, "weil; da; denn; wegen; aufgrund; damit; deshalb weil; dank; um; nämlich; zwecks"),
    Terms(
        Kind.LIMIT,
        "solange; sofern; vorausgesetzt; während; also; daher; deshalb; darum; deswegen; somit; das heißt; d.h.; sodass; so dass; hauptsache; auch wenn; selbst wenn; auch bei; auch falls; selbst bei",
    ),
    Terms(Kind.IF, "wenn; falls; sobald; im fall; im falle; es sei denn; außer wenn"),
    # --- where it is wished
    Terms(
        Kind.AVOID,
        "herumplan*; herumgeh*; drumherum; drum herum; drumrum; (einen |)bogen drum; freihalten; frei halten; freizuhalten; frei lassen; freilassen; freigehalten; überlass*; für andere; für die anderen; nicht (blockieren|belegen|verbrauchen|verschwenden|wegnehmen); vermeid*; meid*; vermied*; umgeh*; auslass*; ausschließ*; ausschliess*; ausgeschlossen; ausgenommen; aussparen; spar* aus; hass*; ablehn*; verzicht* auf; unterlass*; verschon*; auszuschließen; zu meiden; zu vermeiden; verhinder*; weglass*; schließ* aus; schließe* aus; (lass|lasst|lass*) ~ (aus|weg|raus|in ruhe|bleiben); abgeraten; abraten; rat* ab; absehen; abzusehen; abgesehen wird; seh* ~ ab; scheu*",
        verb=True,
    ),
    Terms(
        Kind.AVOID,
        "fernhalten; fern halten; fernzuhalten; ferngehalten; fernbleiben; fernhält; fern bleiben; raushalten; heraushalten; rauszuhalten; wegbleiben; wegbleibt; abstand halten; halt* abstand; abstand zu; abstand von; abstand zum; abstand zur; mit abstand; möglichst weit weg von; abstand zwischen; weit weg von; weg von; weg vom; fern von; fern vom; fern; weit weg; weit entfernt von; entfernt von; entfernt; möglichst weit entfernt von; isolier* von; getrennt von; getrennt vom; trennung von; trennung vom; trennung zu; isolation von; isolierung von; abschottung von; separierung von; auf distanz zu; distanz zu; distanz zum; sicherheitsabstand zu; bogen um; trenn* von; abseits von; abgesetzt von; so weit weg wie möglich von; so weit wie möglich weg von; so weit wie möglich entfernt von; raus aus; heraus aus; weg; isoliert von; separiert von; separat von; entkoppelt von; abgeschottet von; außer reichweite von; losgelöst von; (halt*|bleib*|lass*) ~ (fern|weg|raus|draußen|abseits|außerhalb)( von| vom| aus|)",
        verb=True,
    ),
    Terms(
        Kind.AVOID,
        "tabu; no-go; unerwünscht; nicht erwünscht; nicht geeignet; ungeeignet; nicht willkommen; gesperrt; scheidet aus; scheiden aus; kommt nicht in frage; kommen nicht in frage; nicht in frage; nicht infrage; kommt nicht infrage; vom leib; vom hals; finger (weg |)von; finger (weg |)vom; einen (weiten |großen |)bogen; raus; kollidier*; konkurrier*; in die quere; ins gehege",
    ),
    Terms(
        Kind.AVOID,
        "(keinesfalls|auf keinen fall|auf gar keinen fall|niemals|nie|keineswegs) (infrage|in frage); verboten; verboten*; verbiet*; verbietet; untersagt; nicht erlaubt; nicht gestattet; nicht zulässig; unzulässig",
        strength=STRONG,
        verb=True,
    ),
    Terms(Kind.AVOID, "verlass*; verlässt", payload="leave", verb=True),
    Terms(
        Kind.EXCEPT,
        "außer; ausser; bis auf; mit ausnahme von; mit ausnahme der; mit ausnahme des; abgesehen von; ausgenommen; nur nicht; bloß nicht; außer auf; außer in; außerhalb; außerhalb von; ohne",
    ),
    Terms(
        Kind.EXCEPT,
        "(überall|irgendwo|egal wo|jeder knoten|jede zone|jedes rack|jede region|alle knoten|alle zonen|alle racks|alle regionen|alles|beliebige zone|beliebiger knoten|beliebige region|beliebiges rack|wo auch immer|jeden knoten|jede andere zone|jeder andere knoten|jede andere region|jedes andere rack|jedem knoten|jeder zone|jeder region|jedem rack|allen knoten|allen zonen|allen racks|allen regionen|in jeder zone|in jeder region|auf jedem knoten|egal welche zone|egal welcher knoten|egal welches rack) (außer|ausser|nur nicht|bloß nicht|bis auf|ausgenommen|aber nicht|mit ausnahme von|als|außerhalb|, nur nicht|, außer|, bloß nicht|, aber nicht|, ausser|außer in|außer auf|nur nicht in|nur nicht auf|, hauptsache nicht|hauptsache nicht)",
        payload="any",
    ),
    Terms(Kind.INSTEAD, "statt; anstatt; anstelle von; an stelle von; anstelle"),
    Terms(
        Kind.SPREAD,
        "verteil*; streu*; aufteil*; aufgeteilt; verstreu*; teil* auf; balancier*; ausbalancier*; auseinander; auseinanderzieh*; auseinanderhalten; gestreut; breit aufgestellt; diversifizier*; splitt*; aufsplitt*; fächer*; auffächer*; verstreut; zerstreu*; teile; teilt; auseinandergezogen; aufzuteilen; zu verteilen; zu streuen; spreiz*; ausgewogen; entzerr*; trennen; getrennt; trenne; separier*; separieren",
        verb=True,
    ),
    Terms(
        Kind.SPREAD,
        "verteilung; redundan*; redundant; redundanz; anti-affinität; antiaffinität; streuung; ausfallsicher*; ausfallsicherheit; ausfalltolerant; ausfalltoleranz; hochverfügbar über; diversität; vielfalt; trennung; resilienz; fehlertoleran*; georedundan*",
        "quality",
    ),
    Terms(
        Kind.SPREAD,
        "über; quer über; über alle; auf alle; auf mehrere; auf verschiedene; auf unterschiedliche; zwischen den; zwischen; multi; cross; übergreifend; über mehrere; über verschiedene; hinweg; quer durch",
        payload="across",
    ),
    Terms(
        Kind.SURVIVE,
        "überleb*; überstehen; übersteht; überstehe; aushalten; aushält; verkraft*; verkraftet; toler*; standhalten; abfang*; resilient*; robust*; widerstandsfähig*; lahmlegen; lahmlegt; lahm legen; umwerfen; runterreißen; herunterreißen; mitreißen; mitreißt; außer gefecht setzen; weiterlaufen; weiter laufen; läuft weiter; laufen weiter; weiterläuft; nicht treffen; alles mitreißen; lahmgelegt; ausknocken; aus dem tritt; verfügbar bleiben; erreichbar bleiben; online bleiben; am leben bleiben; nicht ausfallen lassen; kein single point of failure; geschützt gegen; gefeit gegen; gewappnet; absicher*; abgesichert gegen; schütz*; geschützt; umhauen; alles verlieren; zu fall bringen; kalt erwischen; überstanden; weiterleben; weitermachen; weiterhin (laufen|verfügbar|erreichbar|antworten|funktionieren|online|da sein); weiter (funktionieren|antworten|arbeiten|verfügbar|erreichbar|bedienen|da sein); am laufen bleiben; da bleiben; stehen bleiben; übrig bleiben; nicht (down|offline|weg|tot|stillstehen|komplett weg|ganz weg) (sein|gehen|); stillstehen; oben bleiben; kompensier*; ausfallsicher gegen",
        verb=True,
    ),
    Terms(
        Kind.FAILURE,
        "ausfall; ausfälle; ausfalls; ausfallen; ausfällt; verlust; fällt aus; fallen aus; störung; störungen; wegfällt; wegfall; wegbricht; stirbt; sterben; verlieren; defekt; crash; zusammenbruch; abraucht; abstürzt; absturz; brennt; weg ist; kaputt geht; kaputtgeht; eier; stromausfall; down ist; down geht; blackout; totalausfall; ausgefallen; fehler; versagen; fällt; fallen; bricht; abraucht; raucht ab; hops geht; flöten geht; den geist aufgibt; wegfallen; wegbrechen; umfällt; verschwindet; verloren; hochgeht; nicht erreichbar; stromlos; offline; offline geht; down gehen; tot; havarie",
    ),
    Terms(
        Kind.TOGETHER,
        "zusammen; gemeinsam; beieinander; zusammenleg*; zusammenbleiben; zusammengehör*; beisammen; kolokalisier*; kolozier*; kolokation; colokalisier*; co-lokalisier*; ko-lokalisier*; zusammenhalten; zusammengelegt; gruppier*; zusammenfass*; vereint; bündel*; gebündelt; zusammenstell*; zusammenzulegen; zusammengefasst; zusammenpacken; zusammenzieh*; zusammengezogen; vereinig*; paar* mit; stapel*; gestapelt; aufeinander; zusammenzuhalten; zusammenliegen; zusammenwohnen; häng* an; kolloziier*; kollokier*; kolokier*; colocate*; coloziier*; gepaart; kleb*; heft*; anheft*; dranhäng*; ranhäng*; auf (einem|einen) haufen; zusammenhock*; zusammensitz*; zusammensteck*; zusammensetz*; zusammenstell*; zusammenwerf*; zusammenschmeiß*; konzentrier*",
        verb=True,
    ),
    Terms(
        Kind.TOGETHER,
        "pack*; packe; gepackt; konsolidier*; zusammengepackt; zusammendräng*; dräng*; quetsch*; ballen; geballt; komprimier*; stopf*",
        payload="pack",
        verb=True,
    ),
    Terms(
        Kind.NEAR,
        "nahe; nah; nahe bei; nah bei; nahe beim; nah beim; in der nähe; in der nähe von; in der nähe vom; in der nähe der; in der nähe des; nähe zu; nähe zum; nähe zur; nähe; neben; direkt neben; gleich neben; unmittelbar neben; nebeneinander; nahe beieinander; nah beieinander; dicht beieinander; dicht bei; dicht neben; dicht an; nahe an; nah an; nah am; nahe am; eng beieinander; benachbart*; nachbar*; nachbarschaft; angrenzend*; in nachbarschaft; in unmittelbarer nähe; in unmittelbarer nähe von; unweit; unweit von; in reichweite; kurze wege zu; kurze wege zum; kurze wege zur; kurzer weg zu; kurzer weg zum; kurzer weg zur; kurze wege; seite an seite; an der seite von; möglichst nah; möglichst nahe; möglichst dicht; möglichst eng; möglichst nah bei; möglichst nah an; möglichst nahe bei; möglichst nahe an; so nah wie möglich an; so nah wie möglich bei; so nahe wie möglich an; so nahe wie möglich bei; so nah wie möglich am; so nah wie möglich; so nahe wie möglich; so dicht wie möglich; so dicht wie möglich bei; so dicht wie möglich an; näher; näher bei; näher an; affinität zu; affinität zum; affinität zur; nicht weit von; nicht weit weg von; nicht weit entfernt von; nicht (so |zu |allzu |sehr |ganz so |)weit( weg| entfernt|)( von| vom| zu| zur| zum|); nicht fern von; nächster nähe; nächste nähe; dicht; eng; nahegelegen*; nächstgelegen*; aneinander; um ... herum; bei; beim; schnell erreichbar; angedockt an; anliegend",
    ),
    Terms(
        Kind.NEAR,
        "(geringe|niedrige|kurze|kleine|minimale|geringste|niedrigste|kleinste|wenig|gute|geringer|niedriger|minimaler|kurzer|geringen|niedrigen|schnelle) (netzwerklatenz|latenz|latenzen|latenzzeit|latenzzeiten|verzögerung|antwortzeit) (zu|zum|zur|zwischen uns und|gegenüber|mit|nach); latenz (zu|zum|zur) ; latenzarm (zu|zum|zur); schneller zugriff auf; schnelle verbindung zu; schnelle anbindung an; latenzkritisch (zu|zum|zur); latenz zwischen uns und",
        payload="latency",
    ),
    Terms(Kind.SHARE, "teilen mit; teilen; mitbenutz*; mitnutz*; geteilt*; zu teilen"),
    Terms(
        Kind.SAME,
        "selbe; selben; selber; selbes; gleiche; gleichen; gleicher; gleiches; gleichem; derselbe; dieselbe; dasselbe; denselben; demselben; derselben; desselben; dieselben; identisch*; ein und derselbe; ein und demselben; ein und derselben; selbem; exakt selben; gemeinsame; gemeinsamen; gemeinsamer; gemeinsames",
    ),
    Terms(
        Kind.OTHER,
        "andere; anderen; anderer; anderes; anderem; verschieden*; unterschiedlich*; getrennte; getrennten; getrennter; eigene; eigenen; eigener; eigenes; eigenem; separat*; eigenständig*; jeweils eigen*; unabhängig*; exklusiv*; verschiedenst*; dediziert*",
    ),
    Terms(
        Kind.WHERE,
        "wo; wo auch; dort wo; worauf; auf dem auch; auf denen; auf dem; auf der auch; in der auch; in der; in dem auch; wo schon; wo auch immer; die auch; der auch; das auch; die schon; welche; welcher; welches; mit den pods von; wo die pods von; mit laufendem; mit laufenden; auf welchem; in welcher; worin",
    ),
    Terms(
        Kind.AS,
        "wie; als; von; mit; vom; zu; zum; zur; aus; gegenüber; der; des; von der; von den; mit dem; mit der; mit den; an; für; gegen; nach; ab; am; auch",
    ),
    Terms(
        Kind.IN,
        "in; im; auf; innerhalb; innerhalb von; an; ins; unter; innerhalb der; innerhalb des; aufs; in den; in die; auf den; auf die; auf das",
    ),
    Terms(Kind.EACH, "je; pro; jede; jeder; jedes; jeden; jedem; jeweils; jeweilig*"),
    Terms(
        Kind.ONE,
        "einzige; einzigen; einziger; einziges; einzigem; einzeln*; ein einziger; einem einzigen; einer einzigen; einen einzigen; eine einzige; ein einziges; nur einem; nur einer; nur einen; genau einem; genau einer; genau ein; genau eine; ein und derselben; einer einzelnen; einem einzelnen; eins; 1 einzigen",
    ),
    Terms(Kind.ARTICLE, "ein; eine; einen; einem; einer; eines; nen; ne; 'ne; 'nen"),
    Terms(
        Kind.ALL,
        "alle; allen; aller; alles; sämtlich*; beide; beiden; ganze; ganzen; komplett; komplette; gesamte; gesamten; alle unsere; alle meine; allesamt; ganz",
    ),
    Terms(Kind.ANY, "irgendein*; beliebig*; irgendwelche; irgendwo; welche; welcher; welches; einige; überall"),
    Terms(
        Kind.MANY,
        "mehrere; mehreren; mehrerer; viele verschiedene; mehr als eine; mehr als einen; mehr als einem; mehr als einer; zahlreich*; möglichst viele; möglichst vielen; so viele; so vielen; vielen verschiedenen;  (mehrere|mehreren) (verschiedene|verschiedenen|unterschiedliche|unterschiedlichen|getrennte|getrennten|andere)",
    ),
    Terms(
        Kind.FEW,
        "möglichst wenige; möglichst wenigen; möglichst wenig; so wenige; so wenigen; so wenig; wenigste; wenigsten; die wenigsten; so wenige wie möglich; so wenig wie möglich; so wenigen wie möglich; minimale anzahl; kleinstmögliche anzahl; geringstmögliche anzahl; geringste anzahl; wenige; wenigen; kleinste anzahl; minimaler anzahl",
    ),
    Terms(
        Kind.SELF,
        "uns; wir; replikat; replikate; replikaten; replika; replikas; replica; replicas; replikats; pods; pod; instanz; instanzen; kopie; kopien; unsere pods; unsere replikate; meine pods; meine replikate; meine anderen pods; anderen replikaten; andere replikate; anderen replikate; geschwister; geschwistern; geschwister-pods; geschwisterpods; einander; voneinander; untereinander; miteinander; zueinander; nebeneinander liegen; sich; meinen geschwistern; unseren geschwistern; die pods; die replikate; diese pods; diese replikate; dieses deployment; dieses deployments; dieser dienst; diese anwendung; diese app; dieser app; dieses dienstes; dieser anwendung; worker; workern; workers; shards; shard; mitglieder; zwei pods; zwei replikate; zwei replikaten; zwei von uns; zwei instanzen; zwei kopien; jedes replikat; jeder pod; jede instanz; jede kopie; jeden pod; beide replikate; meine app; meine anwendung; unsere app; unser dienst; unseren dienst; unserer app; unser service; eigenen replikaten; eigenen pods; anderen pods; meiner replikate; unserer replikate; meiner pods; unserer pods; meine instanzen; unsere instanzen; den anderen; teilnehmer; der replikate; der pods; den pods; den replikaten",
    ),
    Terms(
        Kind.SELF,
        "(alle|sämtliche|alle unsere|alle meine|alle unseren|allen|beide) (pods|replikate|replikaten|replikas|instanzen|kopien|worker|shards|replicas); uns alle; wir alle",
        "all",
    ),
    Terms(
        Kind.IT,
        "es; er; seinem; seinen; seiner; ihrem; dessen; deren; ihn; sie; dort; dorthin; dahin; ihm; ihr; diesen; dieser; dieses; jener; jenes; das; davon; daneben; da hin; diesem; ihnen; den; drauf; darauf; dran",
    ),
    Terms(
        Kind.VERB,
        "lauf*; läuft; lief*; setz*; stell*; plazier*; platzier*; deploy*; leg*; lege; starten; starte; startet; gestartet; plan*; einplan*; eingeplant; bleib*; halt*; hält; sitz*; lieg*; liegt; wohn*; unterbring*; untergebracht; bring*; schedul*; gescheduled; gescheduled; gehör*; gehen; geh*; komm*; kommt; landen; landet; lande; packt auf; nutz*; verwend*; benutz*; einsetz*; eingesetzt; wähl*; such*; nimm; nehm*; nehmen; gib; geb*; geben; bekomm*; ansiedel*; angesiedelt; ausführ*; ausgeführt; ausrollen; ausgerollt; betreib*; betrieben; pinn*; fixier*; angepinnt; bind*; gebunden; beschränk*; zuweis*; zugewiesen; ziel*; lass*; lasst; verschieb*; schieb*; schick*; ist auf; machen; mach*; arbeit*; rechn*; trainier*; belass*; sorg*; achte; stecken; steck*; steckt; hinleg*; hinpack*; führ*; greif*; wünsch* uns; hinsetz*; hinstell*; hintu*; hinplatz*; reinstell*; reinsetz*; reinpack*; reinleg*; draufpack*; draufsetz*; draufstell*; abstell*; ablad*; aufstell*; aufgestellt; bevölker*; standort; platzierung; unterbringung; existier*; positionier*; verlager*; residier*; leben; lebt; stehen; steht; stehe; hocken; bereitstell*; bereitgestellt; zuteil*; zugeteilt; ausweich*; operier*; trainiert; umzieh*; verteilt sein",
        payload="place",
        verb=True,
    ),
    Terms(
        Kind.VERB,
        "brauch*; benötig*; will; wollen; wollt*; möchten unbedingt; soll*; soll; sollen; sollte; sollten; verlang*; wünscht; wunsch*; benutzt; bedarf; bedürf*; anforder*; erwart*; haben wollen; frisst; fressen; lechz*; bräucht*; profitier*; hätten; schluckt; verbraucht",
        payload="need",
        verb=True,
    ),
    Terms(
        Kind.VERB,
        "ist; sind; bin; seid; wird; werden; würde; sei; zählt; zählen; ist nur; sind nur; ist bloß; sind bloß; wichtig; wichtige; wichtiger",
        payload="be",
    ),
    Terms(Kind.VERB, "sein", payload="place"),
    Terms(
        Kind.VERB,
        "hat; haben; habe; mit; verfüg* über; bietet; bieten; ausgestattet mit; mitbring*; besitz*; enthält; hätte; haette; unterstütz*; inkl; inklusive; dran; vorhanden",
        payload="have",
    ),
    Terms(
        Kind.FILLER,
        "zuerst; als erstes; zunächst; erstens; zweitens; drittens; der die; ihre; eure; euren; eurem; ebene; ebenen; fähig*; tauglich*; seitig*; weise; die; dem; unser*; mein*; dein*; ihren; ihrem; ihrer; seine; seinen; bitte; danke; hallo; hi; mindestens; wenigstens; minimum; maximal; höchstens; etwa; ungefähr; ca; ca.; circa; rund; genug; genügend; ausreichend; gleichmäßig; gleichmäßige; gleichverteilt; verfügbar; verfügbare; verfügbaren; verfügbarkeit; möglich; mögliche; wie möglich; sehr; so; wirklich; einfach; dann; noch; schon; mal; jetzt; hier; daran; etwas; lokal*; fähig; fähige; fähigen; fähiger; basiert; basierte; basierten; gestützt*; geeignet*; typ; typs; vom typ; klasse; modell der; hochverfügbarkeit; hochverfügbar; hv; für hochverfügbarkeit; wegen ha; platz; freien; freie; freier; frei; zusätzliche; insgesamt; gesamt; mehr als;  größer als; bis zu; nicht weniger als; nicht unter; immer; gerade; eben; halt mal; ja; moin; servus; grüße; viele grüße; liebes team; team; unbedingt gerne; job; jobs; workload; workloads; cluster; scheduler; kubernetes; gut; guter; gute; gutes; besonders; ziemlich; recht; ganz gern; sache; art; ort; stück; moderne; moderner; neue; neuen; neuer; aktuelle; eigentlich; generell; grundsätzlich; überhaupt; nur noch; selbstverständlich; natürlich; sicher; falls; hinzu; anwendungsfall; training; inferenz; batch; produktion; dafür; dabei; dieser hint; hinweis; folgendes; folgend*; je nachdem; zwar; sodann; anschließend; physisch*; echte; echten; angebunden*; angebundene; bestückt*; bestückung; stark; ausgestattet; ausgestattete; ausgestatteten; zwecks ha; hinein; rein; drin; hin; welt; große sprachmodelle; drauf; los; zugriff; komplett; volle; vollen",
    ),
)
