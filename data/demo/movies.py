"""The movies of the demo, one per line: year, title, genres, quality and fame.

Quality and fame are estimates from 1 to 9, a matter of opinion.
"""

GENRE_CODES = {
    "Ac": "Action",
    "Ad": "Adventure",
    "An": "Animation",
    "Ch": "Children's",
    "Co": "Comedy",
    "Cr": "Crime",
    "Do": "Documentary",
    "Dr": "Drama",
    "Fa": "Fantasy",
    "No": "Film-Noir",
    "Ho": "Horror",
    "Mu": "Musical",
    "My": "Mystery",
    "Ro": "Romance",
    "Sf": "Sci-Fi",
    "Th": "Thriller",
    "Wa": "War",
    "We": "Western",
}

MOVIES = """
1930|All Quiet on the Western Front|Dr Wa|8|3
1931|M|Cr Th No|8|4
1931|City Lights|Co Ro Dr|8|4
1931|Frankenstein|Ho Sf|7|4
1931|Dracula|Ho|6|4
1933|King Kong|Ad Ho|7|4
1933|Duck Soup|Co Wa Mu|7|3
1934|It Happened One Night|Co Ro|8|3
1935|The 39 Steps|Th My|7|2
1935|A Night at the Opera|Co Mu|7|2
1936|Modern Times|Co Dr|8|5
1937|Snow White and the Seven Dwarfs|An Ch Mu|7|6
1937|Grand Illusion|Dr Wa|8|2
1938|The Adventures of Robin Hood|Ac Ad|7|3
1938|Bringing Up Baby|Co Ro|7|3
1939|Gone with the Wind|Dr Ro Wa|7|6
1939|The Wizard of Oz|Ad Ch Fa Mu|8|8
1939|Stagecoach|We Ad|7|2
1939|The Rules of the Game|Co Dr|8|2
1940|The Great Dictator|Co Wa|8|4
1940|Fantasia|An Ch Mu|7|4
1940|His Girl Friday|Co Ro|7|3
1940|The Philadelphia Story|Co Ro|7|3
1941|Citizen Kane|Dr My|8|6
1941|The Maltese Falcon|No My Cr|8|4
1942|Casablanca|Dr Ro Wa|9|7
1942|Bambi|An Ch Dr|6|5
1943|Shadow of a Doubt|Th No|7|2
1944|Double Indemnity|No Cr Dr|8|3
1944|Laura|No My Ro|7|2
1945|Rome, Open City|Dr Wa|8|2
1945|Brief Encounter|Dr Ro|8|2
1946|It's a Wonderful Life|Dr Fa Ro|8|7
1946|The Big Sleep|No My Cr|7|3
1946|Notorious|Th Ro No|8|3
1946|Beauty and the Beast|Fa Ro|7|2
1948|Bicycle Thieves|Dr|8|3
1948|The Treasure of the Sierra Madre|Ad We Dr|8|3
1949|The Third Man|No My Th|8|4
1949|Late Spring|Dr|8|2
1949|Kind Hearts and Coronets|Co Cr|7|2
1950|Sunset Boulevard|No Dr|8|4
1950|All About Eve|Dr|8|3
1950|Rashomon|Cr Dr My|8|4
1951|The African Queen|Ad Ro Wa|7|3
1951|The Day the Earth Stood Still|Sf Dr|7|3
1951|A Streetcar Named Desire|Dr|7|3
1952|Singin' in the Rain|Mu Co Ro|8|6
1952|High Noon|We Dr|7|4
1952|Ikiru|Dr|8|3
1953|Roman Holiday|Co Ro|7|4
1953|Tokyo Story|Dr|8|3
1953|The Wages of Fear|Th Ad|8|2
1954|Seven Samurai|Ac Dr|9|5
1954|Rear Window|Th My|8|6
1954|On the Waterfront|Cr Dr|7|4
1954|Godzilla|Ho Sf|6|3
1955|The Night of the Hunter|No Th|8|3
1955|Rebel Without a Cause|Dr Ro|7|4
1955|Pather Panchali|Dr|8|2
1955|Lady and the Tramp|An Ch Ro|6|5
1956|The Searchers|We Ad|7|3
1956|Forbidden Planet|Sf|6|3
1957|12 Angry Men|Dr Cr|9|6
1957|The Seventh Seal|Dr Fa|8|4
1957|Paths of Glory|Dr Wa|8|3
1957|The Bridge on the River Kwai|Wa Ad Dr|8|4
1957|Wild Strawberries|Dr|8|2
1957|Nights of Cabiria|Dr|8|2
1958|Vertigo|My Th Ro|8|6
1958|Touch of Evil|No Cr Th|8|3
1959|Some Like It Hot|Co Ro Cr|8|5
1959|North by Northwest|Th Ad|8|6
1959|The 400 Blows|Dr|8|3
1959|Ben-Hur|Ad Dr|7|5
1959|Sleeping Beauty|An Ch Fa Mu|6|5
1959|Rio Bravo|We|7|3
1960|Psycho|Ho Th|8|7
1960|Breathless|Cr Ro Dr|7|3
1960|The Apartment|Co Ro Dr|8|4
1960|La Dolce Vita|Dr|7|3
1960|The Magnificent Seven|We Ac|7|4
1961|West Side Story|Mu Ro Dr|7|5
1961|Breakfast at Tiffany's|Co Ro|7|5
1961|Yojimbo|Ac Dr|8|3
1961|Viridiana|Dr|7|1
1962|Lawrence of Arabia|Ad Dr Wa|8|5
1962|To Kill a Mockingbird|Dr Cr|8|5
1962|The Manchurian Candidate|Th|7|3
1962|Dr. No|Ac Ad Th|6|5
1963|8½|Dr Fa|8|3
1963|The Great Escape|Ad Wa Ac|8|5
1963|The Birds|Ho Th|7|5
1963|High and Low|Cr Th My|8|2
1964|Dr. Strangelove|Co Wa|8|6
1964|Mary Poppins|Ch Mu Fa|7|6
1964|Goldfinger|Ac Ad Th|7|6
1964|The Umbrellas of Cherbourg|Mu Ro|7|2
1965|The Sound of Music|Mu Dr Ro|7|6
1965|Doctor Zhivago|Dr Ro Wa|7|4
1966|The Good, the Bad and the Ugly|We Ad|9|6
1966|The Battle of Algiers|Wa Dr|8|3
1966|Persona|Dr|8|2
1966|Andrei Rublev|Dr|8|2
1966|Blow-Up|My Dr|7|3
1967|The Graduate|Co Ro Dr|8|5
1967|Bonnie and Clyde|Cr Dr|7|4
1967|Le Samouraï|Cr Th|8|3
1967|Playtime|Co|7|2
1967|The Jungle Book|An Ch Mu|7|6
1968|2001: A Space Odyssey|Sf Ad|8|7
1968|Once Upon a Time in the West|We|8|4
1968|Rosemary's Baby|Ho Dr|8|4
1968|Planet of the Apes|Sf Ad|7|5
1968|Night of the Living Dead|Ho|7|4
1969|Butch Cassidy and the Sundance Kid|We Cr|8|4
1969|Midnight Cowboy|Dr|7|3
1969|Z|Th Cr|8|2
1969|Easy Rider|Dr Ad|7|3
1970|Patton|Wa Dr|7|3
1970|The Conformist|Dr|8|2
1971|A Clockwork Orange|Sf Cr Dr|8|6
1971|The French Connection|Ac Cr Th|7|3
1971|Harold and Maude|Co Ro|7|3
1971|Willy Wonka & the Chocolate Factory|Ch Fa Mu|7|6
1971|Dirty Harry|Ac Cr Th|7|4
1972|The Godfather|Cr Dr|9|9
1972|Cabaret|Mu Dr|7|3
1972|Solaris|Sf Dr|8|3
1972|Aguirre, the Wrath of God|Ad Dr|8|2
1973|The Exorcist|Ho|8|6
1973|The Sting|Co Cr|8|4
1973|Day for Night|Co Dr|7|2
1973|Enter the Dragon|Ac|7|4
1973|The Wicker Man|Ho My|7|3
1974|The Godfather Part II|Cr Dr|9|8
1974|Chinatown|My No Cr|8|5
1974|Young Frankenstein|Co Ho|7|4
1974|Blazing Saddles|Co We|7|4
1974|The Conversation|Th My Dr|8|3
1974|Ali: Fear Eats the Soul|Dr Ro|8|2
1975|Jaws|Ho Th Ad|8|7
1975|One Flew Over the Cuckoo's Nest|Dr|9|7
1975|Monty Python and the Holy Grail|Co Ad Fa|8|7
1975|The Rocky Horror Picture Show|Mu Co Ho|6|5
1975|Barry Lyndon|Dr Ro Wa|8|3
1976|Taxi Driver|Dr Th|8|7
1976|Rocky|Dr Ac|7|6
1976|All the President's Men|Dr My Th|7|3
1976|Network|Dr Co|8|3
1977|Star Wars|Ac Ad Sf Fa|8|9
1977|Annie Hall|Co Ro|8|5
1977|Close Encounters of the Third Kind|Sf Dr|7|5
1977|Suspiria|Ho My|7|3
1977|Saturday Night Fever|Dr Mu|6|4
1978|The Deer Hunter|Dr Wa|8|4
1978|Halloween|Ho Th|7|5
1978|Grease|Mu Ro Co|6|6
1978|Superman|Ac Ad Sf|6|5
1979|Alien|Sf Ho Th|8|7
1979|Apocalypse Now|Wa Dr|8|7
1979|Stalker|Sf Dr My|8|3
1979|Monty Python's Life of Brian|Co|8|5
1979|Mad Max|Ac Sf|6|4
1979|Manhattan|Co Ro Dr|7|3
1980|The Empire Strikes Back|Ac Ad Sf Fa|9|8
1980|The Shining|Ho Th|8|7
1980|Raging Bull|Dr|8|5
1980|Airplane!|Co|7|6
1980|The Elephant Man|Dr|8|3
1980|The Blues Brothers|Co Mu Cr|7|5
1981|Raiders of the Lost Ark|Ac Ad|8|8
1981|Das Boot|Wa Dr Th|8|4
1981|An American Werewolf in London|Ho Co|7|3
1981|Mad Max 2|Ac Sf|7|3
1982|Blade Runner|Sf No Th|8|7
1982|E.T. the Extra-Terrestrial|Sf Ch Dr|8|8
1982|The Thing|Ho Sf My|8|5
1982|Fanny and Alexander|Dr Fa|8|2
1982|Gandhi|Dr|7|4
1982|Fitzcarraldo|Ad Dr|8|2
1983|Return of the Jedi|Ac Ad Sf Fa|8|8
1983|Scarface|Cr Dr Ac|7|6
1983|The King of Comedy|Co Cr Dr|7|3
1983|Koyaanisqatsi|Do|7|2
1984|Amadeus|Dr Mu|8|5
1984|The Terminator|Ac Sf Th|8|7
1984|Ghostbusters|Co Fa Ho|7|7
1984|Once Upon a Time in America|Cr Dr|8|4
1984|This Is Spinal Tap|Co Mu|7|4
1984|Paris, Texas|Dr|8|3
1984|A Nightmare on Elm Street|Ho|6|5
1984|Nausicaä of the Valley of the Wind|An Ad Sf|8|4
1984|Police Academy|Co|4|4
1985|Back to the Future|Ad Co Sf|8|9
1985|The Breakfast Club|Co Dr|7|6
1985|Brazil|Sf Fa Dr|8|4
1985|Ran|Dr Wa Ac|8|4
1985|Come and See|Wa Dr|9|3
1985|The Goonies|Ad Ch Co|7|5
1985|Shoah|Do Wa|8|1
1986|Aliens|Ac Sf Ho|8|7
1986|Blue Velvet|My Dr Th|7|4
1986|Stand by Me|Dr Ad|8|6
1986|Top Gun|Ac Ro|5|7
1986|Platoon|Wa Dr|7|5
1986|Castle in the Sky|An Ad Fa|8|4
1986|Ferris Bueller's Day Off|Co|7|6
1986|Howard the Duck|Co Sf|2|3
1987|Full Metal Jacket|Wa Dr|8|6
1987|The Princess Bride|Ad Co Fa Ro|8|7
1987|RoboCop|Ac Sf Cr|7|5
1987|Dirty Dancing|Ro Mu Dr|6|6
1987|Wings of Desire|Dr Fa Ro|8|3
1987|Predator|Ac Sf Ho|7|6
1987|Babette's Feast|Dr|7|2
1988|Die Hard|Ac Th|8|7
1988|Cinema Paradiso|Dr Ro|8|4
1988|My Neighbor Totoro|An Ch Fa|8|6
1988|Akira|An Sf Ac|8|5
1988|Grave of the Fireflies|An Wa Dr|8|4
1988|Who Framed Roger Rabbit|An Co Cr|7|6
1988|A Fish Called Wanda|Co Cr|7|4
1988|The Thin Blue Line|Do Cr|8|2
1989|Do the Right Thing|Dr Co|8|4
1989|When Harry Met Sally...|Co Ro|8|6
1989|Dead Poets Society|Dr|8|6
1989|Batman|Ac Cr|7|6
1989|The Little Mermaid|An Ch Mu|7|6
1989|Indiana Jones and the Last Crusade|Ac Ad|8|7
1990|Goodfellas|Cr Dr|9|8
1990|Home Alone|Ch Co|6|7
1990|Pretty Woman|Co Ro|6|7
1990|Ghost|Ro Fa Th|6|6
1990|Edward Scissorhands|Fa Ro Dr|7|6
1990|Troll 2|Ho Fa|2|3
1991|The Silence of the Lambs|Th Cr Ho|9|9
1991|Terminator 2: Judgment Day|Ac Sf|8|8
1991|Raise the Red Lantern|Dr|8|2
1991|Thelma & Louise|Dr Cr Ad|7|5
1991|Point Break|Ac Cr|6|5
1991|Hook|Ad Ch Fa|5|6
1992|Unforgiven|We Dr|8|5
1992|Reservoir Dogs|Cr Th|8|7
1992|Aladdin|An Ch Mu|8|7
1992|Hard Boiled|Ac Cr Th|7|3
1992|Basic Instinct|Th My|6|5
1993|Schindler's List|Dr Wa|9|8
1993|Jurassic Park|Ad Sf Ac|8|9
1993|Groundhog Day|Co Ro Fa|8|7
1993|The Piano|Dr Ro|7|4
1993|Farewell My Concubine|Dr Ro|8|2
1993|The Nightmare Before Christmas|An Ch Fa Mu|7|6
1993|Super Mario Bros.|Ad Ch Co|2|4
1994|Pulp Fiction|Cr Dr Th|9|9
1994|The Shawshank Redemption|Dr Cr|9|9
1994|Forrest Gump|Dr Ro Co|8|9
1994|The Lion King|An Ch Mu Dr|8|8
1994|Léon: The Professional|Ac Cr Th|8|6
1994|Chungking Express|Ro Cr Dr|8|4
1994|Three Colours: Red|Dr Ro|8|3
1994|Four Weddings and a Funeral|Co Ro|7|5
1994|Speed|Ac Th|7|7
1994|Hoop Dreams|Do|8|2
1994|Satantango|Dr|8|1
1995|Toy Story|An Ch Co|8|9
1995|Seven|Cr My Th|8|8
1995|Heat|Ac Cr Th|8|6
1995|The Usual Suspects|Cr My Th|8|7
1995|Before Sunrise|Ro Dr|8|5
1995|Ghost in the Shell|An Sf Ac|8|5
1995|La Haine|Cr Dr|8|4
1995|Clueless|Co Ro|6|5
1995|Batman Forever|Ac Cr|4|6
1995|Showgirls|Dr|3|3
1996|Fargo|Cr Co Th|8|7
1996|Trainspotting|Dr Cr Co|8|6
1996|Scream|Ho My|7|6
1996|Independence Day|Ac Sf Wa|5|8
1996|Breaking the Waves|Dr Ro|7|2
1997|Titanic|Dr Ro|7|9
1997|Life Is Beautiful|Co Dr Ro Wa|8|6
1997|Princess Mononoke|An Ad Fa|8|6
1997|L.A. Confidential|No Cr My|8|5
1997|Taste of Cherry|Dr|7|2
1997|Batman & Robin|Ac Cr|2|6
1998|The Big Lebowski|Co Cr|8|7
1998|Saving Private Ryan|Wa Dr Ac|8|8
1998|Run Lola Run|Ac Cr Ro|7|4
1998|The Truman Show|Dr Co Sf|8|7
1998|Armageddon|Ac Sf Ad|4|7
1999|The Matrix|Ac Sf Th|9|9
1999|Fight Club|Dr Th|8|9
1999|The Sixth Sense|Th Ho My|8|8
1999|Being John Malkovich|Co Fa|8|5
1999|All About My Mother|Dr Co|8|3
1999|Buena Vista Social Club|Do Mu|7|2
1999|Star Wars: Episode I - The Phantom Menace|Ac Ad Sf Fa|4|8
2000|Gladiator|Ac Dr Ad|8|8
2000|In the Mood for Love|Dr Ro|8|5
2000|Crouching Tiger, Hidden Dragon|Ac Ad Ro|8|6
2000|Memento|My Th|8|7
2000|Amores perros|Dr Th|8|3
2000|Battlefield Earth|Ac Sf|1|3
2001|Spirited Away|An Ad Fa Ch|9|8
2001|Amélie|Co Ro Fa|8|7
2001|The Lord of the Rings: The Fellowship of the Ring|Ad Fa Ac|9|9
2001|Mulholland Drive|My Dr Th|8|6
2001|Shrek|An Ch Co Fa|7|8
2001|Moulin Rouge!|Mu Ro Dr|7|5
2001|Monsoon Wedding|Co Dr Ro|7|2
2002|City of God|Cr Dr|9|6
2002|Talk to Her|Dr Ro My|8|3
2002|The Pianist|Dr Wa|8|6
2003|Oldboy|Th My Ac|8|6
2003|Finding Nemo|An Ch Ad|8|8
2003|Lost in Translation|Dr Ro Co|7|6
2003|Kill Bill: Vol. 1|Ac Cr|8|7
2003|Memories of Murder|Cr My Dr|8|4
2003|The Room|Dr Ro|2|4
2004|Eternal Sunshine of the Spotless Mind|Ro Sf Dr|8|7
2004|Downfall|Wa Dr|8|4
2004|Howl's Moving Castle|An Fa Ro|8|6
2004|Shaun of the Dead|Co Ho|8|6
2004|Catwoman|Ac Cr|2|4
2005|Brokeback Mountain|Dr Ro We|7|5
2005|Grizzly Man|Do|8|3
2006|Pan's Labyrinth|Fa Dr Wa|8|6
2006|The Lives of Others|Dr Th|8|5
2006|The Departed|Cr Th Dr|8|7
2006|Casino Royale|Ac Ad Th|8|7
2006|Little Miss Sunshine|Co Dr|7|5
2007|No Country for Old Men|Cr Th We|8|7
2007|There Will Be Blood|Dr|8|6
2007|Ratatouille|An Ch Co|8|7
2007|Persepolis|An Dr|8|4
2008|The Dark Knight|Ac Cr Th|9|9
2008|WALL·E|An Ch Sf Ro|8|8
2008|Let the Right One In|Ho Ro Dr|8|4
2008|Mamma Mia!|Mu Co Ro|5|6
2009|Up|An Ch Ad|8|8
2009|Inglourious Basterds|Wa Ac Dr|8|7
2009|Avatar|Ac Ad Sf|7|8
2009|A Prophet|Cr Dr|8|3
2010|Inception|Ac Sf Th|8|9
2010|The Social Network|Dr|8|7
2010|Incendies|Dr My Wa|8|4
2010|The Last Airbender|Ac Ad Fa|2|5
2011|A Separation|Dr|8|5
2011|Drive|Cr Dr Ac|7|6
2011|The Artist|Co Ro Dr|7|5
2011|Intouchables|Co Dr|8|6
2012|Django Unchained|We Dr Ac|8|8
2012|Amour|Dr Ro|8|3
2012|The Act of Killing|Do|8|2
2013|Her|Ro Sf Dr|8|6
2013|Gravity|Sf Th|7|7
2013|The Great Beauty|Dr Co|7|3
2014|The Grand Budapest Hotel|Co Ad Cr|8|7
2014|Whiplash|Dr Mu|8|7
2014|Interstellar|Sf Ad Dr|8|9
2014|Boyhood|Dr|7|5
2014|Wild Tales|Co Dr Th|8|4
2015|Mad Max: Fury Road|Ac Sf Ad|8|8
2015|Inside Out|An Ch Co|8|7
2015|Fantastic Four|Ac Sf|2|4
2016|La La Land|Mu Ro Co|8|7
2016|Arrival|Sf Dr My|8|7
2016|Moonlight|Dr|8|5
2016|Train to Busan|Ho Ac Th|7|5
2016|Your Name.|An Ro Fa|8|6
2017|Get Out|Ho My Th|8|7
2017|Coco|An Ch Mu Ad|8|6
2017|The Emoji Movie|An Ch Co|2|4
2018|Roma|Dr|8|4
2018|Shoplifters|Dr Cr|8|4
2018|Burning|My Dr Th|8|3
2018|Spider-Man: Into the Spider-Verse|An Ac Ad|8|7
2019|Parasite|Th Dr Co|9|8
2019|Portrait of a Lady on Fire|Dr Ro|8|5
2019|Knives Out|My Co Cr|8|7
2019|Cats|Mu Fa|2|4
2020|Another Round|Dr Co|7|4
2021|Dune|Sf Ad Dr|8|7
2021|Drive My Car|Dr|8|3
2022|Everything Everywhere All at Once|Sf Ac Co|8|7
2022|Aftersun|Dr|8|4
2022|RRR|Ac Dr|7|4
2023|Past Lives|Ro Dr|8|4
2023|Oppenheimer|Dr Wa|8|7
2023|The Boy and the Heron|An Ad Fa|7|4
2023|Anatomy of a Fall|Cr Dr My|8|4
"""
