"""German: how strongly something is meant, and what is no wish."""

from __future__ import annotations

from berth_intent.intents import STRONG, WEAK
from berth_intent.language.kinds import Kind
from berth_intent.language.lexicon.terms import Terms

WORDS: tuple[Terms, ...] = (
    Terms(
        Kind.NOT,
        "nicht; kein; keine; keinen; keinem; keiner; keines; ohne; weder; noch nie da; nirgends; soll nicht; sollte nicht; sollen nicht; sollten nicht; nichts; nich; ned; keins",
    ),
    Terms(
        Kind.NOT,
        "nie; niemals; auf keinen fall; keinesfalls; unter keinen umständen; in keinem fall; darf nicht; dürfen nicht; darf kein; darf keine; dürfen keine; darf keinen; darf niemals; dürfen niemals; darf nie; dürfen nie; darf auf keinen fall; dürfen auf keinen fall; darf keinesfalls; dürfen keinesfalls; darf; dürfen; unter gar keinen umständen; keineswegs; um keinen preis; absolut nicht; absolut kein; absolut keine; bloß nie; nie und nimmer; nimmer; unbedingt nicht; zwingend nicht; strikt nicht; muss nicht auf; nie im leben; zu keiner zeit; keinstenfalls; partout nicht; gar nie; auf gar keinen fall; in gar keinem fall",
        strength=STRONG,
    ),
    Terms(
        Kind.NOT,
        "lieber nicht; möglichst nicht; am liebsten nicht; wenn möglich nicht; eher nicht; vorzugsweise nicht; besser nicht; idealerweise nicht; ungern; nach möglichkeit nicht; möglichst kein; möglichst keine; möglichst keinen; lieber keine; lieber kein; lieber keinen; lieber ohne; am besten nicht; wenn es geht nicht; ungerne; falls möglich nicht; nicht gern; nicht gerne; möglichst nie; wenn's geht nicht; nicht so gern; nicht so gerne; bevorzugt nicht",
        strength=WEAK,
    ),
    Terms(
        Kind.NO_NEED,
        "(nicht|kein|keine|keinen|niemand|nie) (nötig|notwendig|erforderlich|gebraucht|benötigt|wichtig|relevant|von belang|vonnöten|von bedeutung|gefordert|vorausgesetzt|brauch*|benötig*|entscheidend|interessant|ausschlaggebend); (brauch*|benötig*|bedarf|bedürf*|verlang*|nutz*|verwend*) (keine|keinen|kein|keiner|nicht|weder|keinerlei|auch keine|auch kein|auch keinen|eigentlich keine|eigentlich keinen|eigentlich kein|dafür keine|hier keine|hier kein|hier keinen|gar keine|gar keinen|gar kein); (egal|wurscht|wurst|schnuppe|gleichgültig|unwichtig|unerheblich|irrelevant|unnötig|nebensächlich|belanglos|überflüssig|beliebig); ist egal; spielt keine rolle; spielen keine rolle; keine rolle; keine präferenz; keine präferenzen; kein bedarf; keinen bedarf; keine anforderungen; keine besonderen; keine bestimmte; keinen bestimmten; kein bestimmtes; muss nicht; müssen nicht; ist uns gleich; einerlei; macht keinen unterschied; machen keinen unterschied; kommt nicht drauf an; kommt nicht darauf an; unabhängig davon; ganz gleich; keine vorliebe; keine wünsche; brauch* es nicht; brauch* wir nicht; brauch* ich nicht; braucht's nicht; läuft auch ohne; geht auch ohne; kommt ohne aus; kommen ohne aus; komm* auch ohne; wo auch immer platz ist; wo gerade platz ist; stört nicht; stören nicht; nicht der rede wert; wie du willst; verzichtbar; entbehrlich; keinerlei; keine vorgaben; nichts besonderes",
    ),
    Terms(
        Kind.MODAL,
        "bevorzug*; vorzugsweise; idealerweise; im idealfall; möglichst; gern; gerne; lieber; am liebsten; vielleicht; eventuell; evtl; evtl.; nach möglichkeit; wenn möglich; falls möglich; wo möglich; sofern möglich; soweit möglich; so weit möglich; soweit es geht; wenn es geht; wenn's geht; falls es geht; wenns geht; sofern es geht; hoffentlich; hoff*; versuch*; präferier*; präferenz; präferenz für; vorliebe für; leichte präferenz; leichte präferenz für; tendenziell; optional; optimalerweise; wünschenswert; wünschenswerterweise; ich hätte gern; ich hätte gerne; wir hätten gern; wir hätten gerne; hätte gern; hätten gern; hätte gerne; hätten gerne; hätt gern; würde gern; würden gern; würde gerne; würden gerne; möchte; möchten; wir würden gern; wir würden gerne; besser; eher; am besten; bestenfalls; wunsch; nett; freuen uns über; würden uns freuen über; freue mich über; würde mich freuen; würden uns freuen; vorrangig; bevorzugterweise; zur not; wär schön; favorisier*; bestmöglich; tunlichst; im besten fall; bei gelegenheit; ggf; ggf.; gegebenenfalls; vllt; vll; ist willkommen; willkommen; liebend gern; liebend gerne; tendieren zu; tendenz zu; gewünscht; mag; mögen; ideal; ideal wäre; optimal wäre; hübsch; ein bonus; wünschen; wünsch*",
        "before",
        WEAK,
    ),
    Terms(
        Kind.MODAL,
        "(wäre|wären|wär) (schön|toll|super|nett|gut|prima|ideal|klasse|wünschenswert|cool|großartig|fein|perfekt|optimal|besser|am besten|hilfreich|angenehm|praktisch|willkommen|uns lieber|mir lieber|mir am liebsten|uns am liebsten|vorteilhaft|genial|spitze|sinnvoll|nice|ein plus|ein bonus|lieb|wunderbar|ganz nett|ganz gut|von vorteil|echt gut|sehr gut|sehr schön|das beste|fantastisch|zu bevorzugen|sehr nett); schön (wäre|wären); gut (wäre|wären); toll (wäre|wären); super (wäre|wären); nett (wäre|wären); ideal (wäre|wären); prima wäre; klasse wäre; falls verfügbar; wenn verfügbar; sofern verfügbar; falls vorhanden; wenn vorhanden; sofern vorhanden; wenn frei; falls frei; falls da; aber nicht kritisch; nicht (so |ganz |unbedingt |absolut |wirklich |)(kritisch|zwingend|essenziell|essentiell|entscheidend wichtig|unbedingt|lebenswichtig|lebensnotwendig|zwingend nötig|zwingend erforderlich|zwingend notwendig|unbedingt nötig|unbedingt erforderlich|unbedingt notwendig|verpflichtend|obligatorisch|tragisch|schlimm); kein muss; keine pflicht; ist kein muss; ist kein drama; kein drama; kein drama wenn nicht; kein problem wenn nicht; nicht schlimm wenn nicht; kein beinbruch; wenn nicht, auch (gut|ok|okay|nicht schlimm|kein problem); wenn nicht auch (gut|ok|okay); aber kein muss; aber nicht nötig; aber nicht notwendig; aber nicht zwingend; aber nicht unbedingt; aber nicht erforderlich; zwar nicht nötig aber; muss aber nicht; muss aber nicht sein; muss nicht sein; aber optional; ist optional; aber verhandelbar; verhandelbar; wenn's passt; wenn es passt; falls es passt; wenn's klappt; wenn es klappt; falls es klappt; bevorzugt; ist bevorzugt; würde helfen; würde nicht schaden; schadet nicht; kann nicht schaden; hätte was; sonst nicht schlimm; sonst auch gut; sonst egal; wenn sich's einrichten lässt; wenn es sich einrichten lässt; wenn platz ist; falls platz ist; wenn noch platz ist; wenn kapazität da ist; ist erwünscht; erwünscht; sind erwünscht; wünschenswert; ist wünschenswert; sind wünschenswert; nice to have; nice-to-have; bevorzugen; präferieren; nicht verkehrt",
        "after",
        WEAK,
    ),
    Terms(
        Kind.MODAL,
        "darf nur; dürfen nur; darf ausschließlich; dürfen ausschließlich; darf einzig; darf lediglich; dürfen lediglich; muss; mus; müssen; musst; muß; müßte unbedingt; hat zu; haben zu; nur; nur noch; ausschließlich; ausschliesslich; unbedingt; zwingend; zwingend notwendig; kritisch; kritischer; kritische; kritisch wichtig; erforderlich; pflicht; ist pflicht; verpflichtend; obligatorisch; notwendig; zwingende voraussetzung; voraussetzung; essenziell; essentiell; lebenswichtig; unverzichtbar; unerlässlich; unabdingbar; absolut; strikt; strikte; streng; um jeden preis; koste es was es wolle; auf jeden fall; ohne ausnahme; ausnahmslos; ohne wenn und aber; in jedem fall; nicht verhandelbar; unverhandelbar; nicht optional; nicht diskutabel; gesetzlich; gesetzlich vorgeschrieben; rechtlich; rechtlich vorgeschrieben; vorgeschrieben; aus rechtlichen gründen; das gesetz verlangt; per gesetz; dsgvo verlangt; compliance verlangt; zwangsläufig; nichts anderes; stark bevorzugt; dringend; dringende; erforder*; erfordert; allein; einzig; einzig und allein; lediglich; must-have; muss-kriterium; ein muss; ist ein muss; sind ein muss; sind pflicht; ist zwingend; voraussetz*; nirgendwo sonst; nirgendwo anders; geht nicht ohne; läuft nicht ohne; laufen nicht ohne; funktioniert nicht ohne; funktionieren nicht ohne; unumgänglich; zwingen*; immer und ausschließlich; fundamental; entscheidend; von entscheidender bedeutung; bestehen auf; besteht auf; bestehe auf; unentbehrlich; imperativ; ausschließlich nur; hart*; harte anforderung; vertraglich; zwanghaft; komme was wolle; egal was passiert; was auch passiert",
        "any",
        STRONG,
    ),
    Terms(
        Kind.GOOD,
        "ok; okay; passt; passen; reicht; reichen; genügt; genügen; geht; gehen auch; in ordnung; fein; völlig ok; akzeptabel; gut genug; tut's; tun's auch; recht; ist gut; sind gut; sind ok; ist ok; erlaubt; zulässig; geht klar",
    ),
    Terms(
        Kind.FILLER,
        "überall nur; nicht nur; kritischer job; kritischer dienst; kritische anwendung; kritischer service; kritische app; kritischer trainingsjob; kritisches training; geschäftskritisch*; unternehmenskritisch*; latenzkritisch*; zeitkritisch*; nur lesen; große modelle; großes modell; großes sprachmodell; hohe verfügbarkeit; hohen verfügbarkeit; hoher verfügbarkeit; hohe priorität; niedrige priorität; schnell mal; so schnell wie möglich; möglichst schnell; auf dauer; auf einmal; in der regel; in der tat; im allgemeinen; im betrieb; im moment; in produktion; in zukunft; ab sofort; nach wie vor; im voraus; zum beispiel; z.b.; bei uns; bei bedarf; voll und ganz; auf gut glück; geringe latenz; niedrige latenz; möglichst geringe; möglichst niedrige; hohe auslastung von; ein wenig; noch dazu; vor allem; im prinzip; mit dabei; möglichst gleichmäßig; möglichst breit; möglichst weit; möglichst gut; zur verfügung; kritischer workload; kritische workload; kritische jobs; kritische dienste; leistungskritisch*; performancekritisch*; so bald wie möglich; so gut wie möglich",
    ),
    Terms(
        Kind.PAST,
        "erhöht; angehoben; gesenkt; reduziert auf; hochgesetzt; heruntergesetzt; gestiegen; gesunken; gestern; vorgestern; früher; damals; vorher; zuvor; bisher; einst; letzte woche; letzten monat; letztes jahr; letzte nacht; letzten (montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|sommer|winter|sprint); letztes mal; vor (zwei|drei|einer|einem|ein|wenigen|vielen|ein paar|langer|kurzem) (wochen|tagen|monaten|jahren|woche|tag|monat|jahr|stunden|zeit|); in der vergangenheit; war; waren; wurde; wurden; hatte; hatten; gab; lief; liefen; fiel; fielen; ging; gingen; brauchte; brauchten; nutzte; nutzten; bevorzugte; ursprünglich; anfangs; ehemals; vormals; vorherige; vorherigen; vorheriger; alte version; alten version; frühere; früheren; umgezogen; migriert; verschoben; behoben; gefixt; repariert; ausgetauscht; gekauft; geändert; gewechselt; ist ausgefallen; sind ausgefallen; war ausgefallen; abgestürzt; gestorben; gelaufen; gewesen; gestrichen; entfernt worden; historisch; kürzlich; neulich; bislang; nicht mehr; stand; standen; saß; lag; lagen; kam; kamen; gehabt; passiert; verursacht; verlor; wollten früher; stammt; stammen",
    ),
    Terms(
        Kind.COMMAND,
        "ignorier* (alle|alles|sämtliche|vorherige|vorherigen|die|bisherige|bisherigen|frühere|deine|jegliche); vergiss (alle|alles|die|deine|was); du bist (jetzt|nun|ab); antworte (mit|nur|ausschließlich); vorherige anweisungen; vorherigen anweisungen; bisherige anweisungen; systemprompt; gib json; gib nur; gib jedem; tu so als; handle als; gib aus; missachte; system :; neue anweisung*; gib jedem pod; überschreibe",
    ),
    Terms(
        Kind.NOISE,
        "angeblich; gerücht*; flurfunk; munkelt; laut (bericht|doku|ticket|newsletter|wiki|log|angaben); heißt es; hat mir erzählt; haben mir erzählt; habe gehört; hab gehört; fehlermeldung; fehlermeldungen; fehler :; warnung :; changelog; logmeldung; witz",
        payload="hearsay",
    ),
    Terms(
        Kind.NOISE,
        "zu (langsam|klein|schwach|träge|zäh|teuer|wenig|knapp|lahm|laut|heiß); cross-az-traffic; cross-zone-traffic; cross-az-verkehr; traffic; kollegen; kollegin; kollege; nachbarteam*; nachbarabteilung*; das andere team; andere teams; die anderen teams; zu hause; daheim; preise; preis; angebot; angebote; version; versionen; ticket; tickets; verantwortlich*; besitzer; eigentümer; zuständig*; kontakt; ansprechpartner; dokumentation; doku; dokumentiert; dashboard; metrik; metriken; alarm; alarme; protokoll; protokolle; port; ports; leck; speicherleck; fehler im; fehlermeldung; bugfix; fix; update; aktualisier*; besprechung; meeting; anzahl replikate; neustart; neustarts; neustarten; nächtlich*; täglich*; stündlich*; wöchentlich*; monatlich*; jede nacht; jeden tag; jede stunde; montag*; dienstag*; mittwoch*; donnerstag*; freitag*; samstag*; sonntag*; sicherung; sicherungen; backup; backups; rechnung; rechnungen; budget; kosten; kostenstelle; kunden; kunde; nutzer; benutzer; test; tests; testen; beispiel; beispiele; demo; konfiguration; variable; variablen; geheimnis; passwort; sitzung; sitzungen; anfragen; anfrage; abfragen; tabelle; tabellen; datensatz; name; namen; beschreibung; kommentar; autor; geprüft; freigegeben; veröffentlicht; etikett; bibliothek; seite; link zu; handbuch; anleitung; wiki; zeitzone; zeitplan; lizenz; vertrag; verkehr; migration; bericht; berichte; kaffee; geburtstag; warteschlange; nachrichten; quelltext; code; zweig; gebaut; build; urlaub; notebook; experiment; siehe; schlüssel; tag; image :; release; mannschaft; zeitfenster; termin; projekt; abteilung; büro; umfrage",
    ),
)
