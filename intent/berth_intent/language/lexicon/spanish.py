"""Spanish: operators, nouns of place, small words. Stems stand for the forms of a verb, with or without pronouns at its end."""

from __future__ import annotations

from berth_intent.intents import STRONG
from berth_intent.language.kinds import Kind
from berth_intent.language.lexicon.terms import Terms

WORDS: tuple[Terms, ...] = (
    # --- clauses
    Terms(Kind.AND, "y; e; además; y también; también; junto a eso; más; así como; y además; luego"),
    Terms(
        Kind.OR,
        "si no; y si no; o si no; en su defecto; o en su defecto; de lo contrario; o; u; o bien; bien sea; ya sea",
    ),
    Terms(
        Kind.BUT,
        "pero; sino; aunque; sin embargo; no obstante; mientras que; a pesar de; pero eso sí; eso sí; en cambio; por lo demás",
    ),
    Terms(
        Kind.CAUSE,
        "porque; ya que; puesto que; debido a; dado que; pues; para que; por culpa de; a causa de; gracias a; como nuestro; como nuestra",
    ),
    Terms(
        Kind.LIMIT,
        "siempre que; siempre y cuando; con tal de que; con tal que; mientras; así que; por lo tanto; por eso; de modo que; de forma que; por tanto; el cual; la cual",
    ),
    Terms(
        Kind.IF,
        "si no (hay|se|es|fuera|puede|puedes|queda|quedan|existe|tiene|tienen|está|cabe|caben); si; en caso de; en caso de que; cuando; a menos que; salvo que",
    ),
    # --- where it is wished
    Terms(
        Kind.AVOID,
        "huy*; huid*; huir*; evit*; rehuy*; rehúy*; excluy*; excluir*; esquiv*; esquív*; descart*; omit*; prescind*; huye de; huir de; impid*; odi*; rechaz*; salta*; dej* libre*; reserv* para (otros|otras|los demás|las demás|quien*|quienes|el resto|entrenamiento); no toc*; no (ocup*|gast*|malgast*|desperdici*)",
        verb=True,
    ),
    Terms(
        Kind.AVOID,
        "(mantén*|manten*|mantien*|aléj*|alej*|apart*|apárt*|sepár*|separ*|aísl*|aisl*|qued*|saca*|distanci*) ~ (fuera|lejos|alejad*|apartad*|separad*|al margen|aislad*|a distancia) (de|del|)",
        verb=True,
    ),
    Terms(
        Kind.AVOID,
        "lejos de; lejos del; fuera de; fuera del; alejad* de; alejad* del; apartad* de; apartad* del; separad* de; separad* del; aislad* de; aislad* del; a distancia de; distancia entre; separación entre; lo más lejos posible de; lejos; alejad*; aleja* de; aleja* del; alej*; aléj*; aísl* de; aísl* del; aisla* de; aisla* del; separ* de; separ* del; sepár* de; sepár* del; aparta* de; aparta* del; apart*; apárt*; aísla*; lo mas lejos posible de; lo más alejado posible de; compit* con; competir con; compite con; compitiendo con; que compita con",
    ),
    Terms(
        Kind.AVOID,
        "prohibido; prohibida; prohibidos; prohibidas; prohíb*; prohib*; vetado; vetada; vetados; vetadas; no permitido; no permitida; no está permitido; no permit*; no se permit*",
        strength=STRONG,
        verb=True,
    ),
    Terms(
        Kind.AVOID,
        "salir de; salga de; salgan de; sale de; salen de; salgas de; abandon*; salir del; salga del",
        payload="leave",
        verb=True,
    ),
    Terms(
        Kind.EXCEPT,
        "excepto; salvo; menos; a excepción de; con excepción de; exceptuando; aparte de; a excepción del; distinto de; distinta de; distintos de; fuera de",
    ),
    Terms(
        Kind.EXCEPT,
        "(cualquiera|cualquier sitio|cualquier lugar|cualquier parte|cualquier nodo|cualquier zona|cualquier rack|cualquier región|cualquier máquina|cualquier servidor|cualquier host|en todas partes|todos los nodos|todas las zonas|todas las regiones|todos los racks|todo|donde sea|donde quieras|da igual dónde|cualquier otro nodo|cualquier otra zona|cualquier otro rack|cualquier otra región|en cualquier otro sitio|en cualquier sitio) (menos|excepto|salvo|que no sea|que no sean|pero no|a excepción de|fuera de|distinto de|distinta de|, menos|, excepto|, salvo|, pero no|distinto a|distinta a|aparte de|que)",
        payload="any",
    ),
    Terms(Kind.INSTEAD, "en vez de; en lugar de; antes que"),
    Terms(
        Kind.SPREAD,
        "distribuy*; distribuir*; distribúy*; distribuid*; repart*; repárt*; dispers*; dispérs*; esparc*; disemin*; balance*; equilibr*; diversific*; separados por; reparto; espárc*; desparram*; escalon*; altern*; descentraliz*; ampliamente",
        verb=True,
    ),
    Terms(
        Kind.SPREAD,
        "redundan*; antiafinidad; anti-afinidad; diversidad; distribución; dispersión; separación; tolerancia; toleran*; alta disponibilidad entre; resiliencia",
        "quality",
    ),
    Terms(
        Kind.SPREAD,
        "entre; a través de; a lo largo de; multi; inter; por todas; por todos; en todas las; en todos los; por las distintas; por los distintos; entre todas las; entre todos los",
        payload="across",
    ),
    Terms(
        Kind.SURVIVE,
        "sobreviv*; toler*; soport*; resist*; aguant*; resilient*; robust*; seguir funcionando; siga funcionando; sigamos funcionando; sigan funcionando; tumbarnos; tumbe; tumbar; nos deje sin servicio; dejarnos sin servicio; seguir en pie; siga en pie; seguir vivos; protegid* contra; protege* contra; proteger* contra; seguir activos; superar; no afecte; nos afecte; mantener el servicio; a prueba de; nos tire abajo; tirar abajo; derribe; derribar; tirarnos; nos tire; podamos perder; poder perder; seguir disponible; perdamos todo; perder todo; perderlo todo; nos tumba; nos deje fuera; dejarnos fuera",
        verb=True,
    ),
    Terms(
        Kind.FAILURE,
        "perd*; pierd*; muer*; muri*; revient*; reviente*; peta; pete; petan; falla*; falle*; se (va|vaya|van) (abajo|al suelo|al traste|a negro); se apag*; desaparec*; caída; caídas; fallo; fallos; falla; fallas; pérdida; pérdidas; caiga; cae; caen; falle; fallen; perder; pierde; muera; muere; apagón; desastre; se caiga; se cae; se caen; se pierda; se pierde; interrupción; corte; cortes; avería; averías; punto único de fallo; único punto de fallo; huevos",
    ),
    Terms(
        Kind.TOGETHER,
        "junt*; júnt*; coloc* junto; agrup*; agrúp*; reún*; reun*; reúne*; coubic*; co-ubic*; co-loc*; coloc* en conjunto; concentr*; conviv*; comparta ubicación; misma ubicación; pegad*; en compañía de; acompañ*; pegu*; peg*nos; pega a; enganch*; emparej*; empareja*; colocaliz*; co-localiz*; codo con codo; amonton*",
        verb=True,
    ),
    Terms(
        Kind.TOGETHER,
        "empaquet*; empaquét*; compact*; consolid*; apil*; comprim*; apret*; aprieta*",
        payload="pack",
        verb=True,
    ),
    Terms(
        Kind.NEAR,
        "cerca de; cerca del; cerca; cerquita; cerquita de; cerquita del; arrimad* a; arrimad* al; pegadit* a; pegadit* al; cercan*; próxim*; junto a; junto al; al lado de; al lado del; al lado; a su lado; lado a lado; en las proximidades de; en la cercanía de; en la vecindad de; adyacente*; contigu*; vecin*; proximidad; cercanía; lo más cerca posible de; lo más cerca posible del; lo más cerca posible; a poca distancia de; próximos a; próximo a; próxima a; próximas a; pegado a; pegados a; pegada a; pegadas a; arrim*; arrím*; acerc*; acérc*; alrededor de; afinidad con; no lejos de; no muy lejos de; no lejos del; cercano a; cercanos a; cercana a; cercanas a; (camino|caminos|trayecto|ruta|rutas|saltos) cort* (a|al|hasta|entre|); lo más juntos posible; lo más juntas posible; a tiro de piedra; a tiro de piedra de; a un paso; a un paso de; a dos pasos de; a mano; en el vecindario de; en torno a",
    ),
    Terms(
        Kind.NEAR,
        "(baja|poca|mínima|menor|buena|la menor|la mínima|reducida|escasa|la mínima|minim* la|reduc* la|la latencia más baja) (latencia|latencias) ~ (a|al|con|hacia|hasta|respecto a|respecto al|entre nosotros y); latencia (a|al|con|hacia|hasta) ; latencia mínima (a|al|con|hacia|hasta); latencia baja (a|al|con|hacia|hasta); latencia muy baja (a|al|con|hacia|hasta); acceso rápido a; acceso rápido al",
        payload="latency",
    ),
    Terms(Kind.SHARE, "compart*; compárt*; coincid*; convivir; coexist*"),
    Terms(Kind.SAME, "mismo; misma; mismos; mismas; idéntic*; mismísim*; propio mismo"),
    Terms(
        Kind.OTHER,
        "diferente; diferentes; distinto; distinta; distintos; distintas; otro; otra; otros; otras; separado; separada; separados; separadas; propio; propia; propios; propias; diversos; diversas; aparte; su propio; su propia; independiente*; dedicado; dedicada; exclusivo; exclusiva",
    ),
    Terms(
        Kind.WHERE,
        "(en el que|en la que|donde|que) también (corre|corra|está|esté|se ejecut*|viv*|haya|tenga|); donde; donde está; donde estén; donde esté; donde corre; donde corra; donde corran; donde corren; donde se ejecut*; donde viv*; donde haya; que alberg*; que aloj*; que ejecut*; que hosped*; que tenga*; que tien*; con pods de; que corr*; donde haya pods de; que contenga*; que contien*; donde funcion*; que hostea*; que ya ejecut*; que lleve*; que usa; que usen; donde resid*; en que corre; en el que corre; en el que está; en la que está; en que está",
    ),
    Terms(
        Kind.AS,
        "que; como; con; de; del; desde; al; hacia; contra; respecto a; respecto de; cuyo; próximo; a los; a las; a la; a el",
    ),
    Terms(Kind.IN, "en; a; dentro de; dentro del; sobre; en el; en la; en los; en las; dentro; hacia el"),
    Terms(Kind.EACH, "cada; por; por cada; cada uno; cada una"),
    Terms(
        Kind.ONE,
        "un solo; una sola; único; única; un único; una única; solo un; sólo un; uno solo; una y la misma; uno; un mismo; una misma; en un mismo; exactamente un; exactamente una",
    ),
    Terms(Kind.ARTICLE, "un; una"),
    Terms(Kind.ALL, "todo; toda; todos; todas; ambos; ambas; todos los; todas las; entero; entera"),
    Terms(
        Kind.ANY,
        "cualquier; cualquiera; alguno; alguna; algún; ningún nodo en particular; cual; cuál; algunos; algunas",
    ),
    Terms(
        Kind.MANY,
        "varios; varias; múltiples; más de un; más de una;  numeros*; tantas; tantos; tantas como sea posible; tantos como sea posible; (varios|varias|múltiples) (diferentes|distintos|distintas)",
    ),
    Terms(
        Kind.FEW,
        "los menos; las menos; en las menos; en los menos; el menor número de; el mínimo número de; la menor cantidad de; los menos; las menos; el menor número posible de; la menor cantidad posible de; el mínimo de; pocos; pocas; tan pocos; tan pocas; la mínima cantidad de; los mínimos; las mínimas; el mínimo posible de; menos",
    ),
    Terms(
        Kind.SELF,
        "réplica; réplicas; replica; replicas; replicado; pods; pod; instancia; instancias; copia; copias; nosotros; nos; nuestros pods; nuestras réplicas; mis pods; mis réplicas; mis otras réplicas; otras réplicas; sus réplicas; hermanos; hermanas; entre sí; entre ellos; entre ellas; unos de otros; uno del otro; unas de otras; unos a otros; uno de otro; mis hermanos; los pods; las réplicas; este despliegue; este servicio; esta aplicación; esta app; este trabajo; trabajadores; estos pods; estas réplicas; miembros; la una de la otra; el uno del otro; una de otra; compañeros; cada réplica; cada pod; cada instancia; dos pods; dos réplicas; dos copias; dos instancias; mi aplicación; mi servicio; nuestra aplicación; nuestro servicio; workers; shards; los workers; los shards; del despliegue; del mismo despliegue; de este despliegue; unas con otras; unos con otros; fragmentos; ambas réplicas; los unos de los otros; las demás; los demás; resto de réplicas; resto de pods; otros pods",
    ),
    Terms(
        Kind.SELF,
        "(todos|todas|ambos|ambas) (los |las |nuestros |nuestras |mis |sus |)(pods|réplicas|instancias|copias|workers|shards|miembros); todos nosotros",
        "all",
    ),
    Terms(
        Kind.IT,
        "su; sus; lo; la; los; las; allí; ahí; ello; eso; esto; ese; esa; esos; esas; aquel; le; les; ellos; allá; este; esta; ese nodo; ese rack; esa zona; esa región; él; ella",
    ),
    Terms(
        Kind.VERB,
        "(caer|caiga|caigan|cayera|cayeran|caigamos|caen|cae|caído) (en|sobre); ejecut*; ejecút*; corr*; corra*; pon; pon*; póng*; coloc*; colóc*; despleg*; desplieg*; desplieg*; despliég*; ubic*; ubíc*; sitú*; situ*; program*; aloj*; alój*; asign*; lanz*; manten*; mantén*; mantien*; qued*; funcion*; arranc*; instal*; viv*; resid*; viaj*; use*; usar; usad; usando; usarlo*; usarla*; úsen*; utiliz*; utilic*; elig*; elij*; escog*; escoj*; busc*; búsc*; dame; danos; den*; denme; dennos; denos; deme; denles; denle; dadnos; dadme; darnos; darme; danos; demen; ocup*; deja*; déj*; lleva*; llév*; ir; vaya; vayan; ve; permanez*; permanec*; limit*; restring*; fij*; fíj*; ancla*; áncl*; and*; deposit*; planific*; sit*; mete*; mét*; agarr*; coge; coger; aprovech*; aterric*; aterriz*; prior*; da; dar; caigan en; acab*; haga; haz; hacer; trabaj*; sirv*; entren*; asegur*; procese*; garantiz*; acoge*; corra; hosped*; tir*; tira; va; van; tener en; llevarlo; mand*; mánd*; muév*; muev*; mover; escoge",
        payload="place",
        verb=True,
    ),
    Terms(
        Kind.VERB,
        "si (quiero|queremos|quisiera|necesito|necesitamos|que|necesita|hace falta); necesit*; quier*; quer*; dese*; debería; deberían; deberíamos; solicit*; pid*; hace falta; hacen falta; haría falta; queremos; demand*; consum*; falta; gast*; precis*; convendría; convien*; busca; buscamos; vendrían; usa",
        payload="need",
        verb=True,
    ),
    Terms(
        Kind.VERB,
        "estuviera*; estuviese*; es; son; sea; sean; ser; somos; siendo; sería; serían; estamos; importa; importan; importante; importantes; estuviera; fuera posible",
        payload="be",
    ),
    Terms(Kind.VERB, "estar; estén; esté; está; están; estemos; estando", payload="place"),
    Terms(
        Kind.VERB,
        "tener; tenga; tengan; tiene; tienen; tenemos; tengo; disponga; disponga de; dispone de; con; cuente con; cuenten con; hay; haya; ofrezca; ofrece; incluya; incluye; que tenga; que tengan; equipado con; equipados con; dotado de; provisto de; soporte; dispongan de",
        payload="have",
    ),
    Terms(
        Kind.FILLER,
        "lo más; más bien; aún más; requisitos :; requisitos; perdón; perdona*; disculp*; favor de; favor; (me|nos) (dijeron|pidieron|han dicho|han pedido|piden|recomendaron) que; primero; en primer lugar; segundo; tercero; en segundo lugar; antes de; antes que nada; el; los nodos de; mi; mis; nuestro; nuestra; nuestros; nuestras; por favor; porfa; gracias; hola; al menos; como mínimo; mínimo; como máximo; máximo; alrededor de un; aproximadamente; unos; unas; más o menos; suficiente; suficientes; uniformemente; equitativamente; de manera uniforme; de forma uniforme; de manera equilibrada; por igual; homogéneamente; disponible; disponibles; disponibilidad; posible; realmente; muy; tan; bien; ya; ahora; siempre; también los; se; que se; me; te; buenas; buenos; buen; buena; a ser; de cómputo; capaz; capaces; compatible; compatibles; local; locales; de tipo; tipo; tipos; modelo de; clase; tarjeta de; alta disponibilidad; por lo menos; hasta; más de; superior a; no menos de; así; nada más; eh; oye; equipo; kubernetes; clúster; carga; cargas; esta carga; carga de trabajo; mayoría; ancho; lugar; sitio; parte; cosas; para; sin duda; claro; si bien; nunca mejor; tal; cantidad de; capacidad; capacidad de; soporte para; adicional; libre; libres; total; extra; físico; físicos; física; físicas; real; menudo; dato; datos de; entrenamiento; inferencia; lo que; hola equipo; haber; aquí; mejor; a partir de; mínima de; espacio; concreto; concreta; otro modo; una vez; cabo; primer; demasiado; conectado; conectados; y punto",
    ),
)
